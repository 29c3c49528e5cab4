// SPDX-License-Identifier: MIT
//
// Free objects of one class between the threads: those lately exchanged in rings, the rest in spans.
// Knows nothing of thread caches; gets pages from the region.
// Called by the slow paths of thread cache, by upkeep and by fork.
#pragma once

#include "depot/ring.h"
#include "diagnostics/misuse.h"
#include "page_heap/region.h"
#include "page_heap/size_classes.h"
#include "page_heap/span.h"
#include "sync/lock.h"

namespace hotlane {

struct DepotStats {
    uint64_t spans = 0;
    uint64_t objects = 0;       // free, in the rings
    uint64_t peak_outside = 0;  // most objects outside rings and spans at once
};

/// One per class. A refill takes from the ring of its processor (newest first), else from another's, else
/// from the partial span of the lowest address, else opens a fresh span. A flush puts into the processor's
/// ring; what is over its capacity goes back to the spans, oldest first; a span whose objects are all back
/// goes back to the region.
class Depot {
  public:
    /// Processors of a larger machine share them.
    static constexpr uint32_t kMostRings = 4;

    /// Those of all classes.
    static void set_up_all();

    /// Between 1 and `count` objects into `out`, the next to use first; 0 with the reason when there are no
    /// pages. `*zeroed`: out[0] is known to read as zero. O(count), one lock.
    /// `may_grow`: as Region::take().
    uint32_t take(void** out, uint32_t count, bool may_grow, bool* zeroed, RegionFailure* why);
    /// Takes objects back, newest first; at most tuning::kMostSlots. O(count), one lock.
    void put_back(void* const* objects, uint32_t count);
    /// The same for objects that nobody used for an interval: the next reap() takes them.
    void put_back_unused(void* const* objects, uint32_t count);
    /// One object of a thread without a cache. Nobody gets it while it is among the newest that the thread
    /// freed (base/newest_frees.h).
    void put_back_late(void* object);
    /// The same, verified, and then straight into its span. False: misuse was reported.
    bool put_back_checked(void* object, Operation operation);
    /// Known where every free is verified.
    bool is_live(const void* object);
    /// In a forked child: such newest frees of the threads that it lost have not happened. Returns how many.
    uint32_t undo_newest_frees();

    /// Returns to the spans what was not needed since the last call; all of it when `everything`.
    void reap(bool everything);

    DepotStats stats();
    Lock& lock() { return lock_; }

  private:
    void set_up(ClassIndex c);
    bool has_slots();
    Ring& ring_of_processor();
    Ring* ring_to_take_from();
    uint32_t take_from_spans(void** out, uint32_t count, bool may_grow, bool* zeroed, RegionFailure* why);
    Span* open_span(bool may_grow, RegionFailure* why);
    void close_span(Span* span);
    void put_in_ring(void* const* objects, uint32_t count);
    void put_back_to_spans(void* const* objects, uint32_t count);
    void make_room(Ring& ring, uint32_t count);
    void spill(Ring& ring, uint32_t count);
    PutBackResult judge(const void* object) const;
    uint32_t return_to_spans(void* const* objects, uint32_t count, Operation operation);
    void report_refused(void* object, PutBackResult why, Operation operation);

    Lock lock_{LockRank::depot};
    ClassIndex class_ = kNoClass;
    uint32_t capacity_ = 0;    // of each ring
    uint32_t first_slot_ = 0;  // among those of all classes
    Ring rings_[kMostRings];
    uint64_t spans_ = 0;
    int64_t outside_ = 0;  // below zero after frees of what is free already, until the spans notice
    int64_t peak_outside_ = 0;
    SpanHeap partial_;
};

extern constinit Depot depots[kMaxClasses];
/// The length of a tick: the age of free pages is counted in ticks of the clock, modulo 256.
extern constinit uint64_t tick_ns;
inline uint8_t tick_at(uint64_t now_ns) { return static_cast<uint8_t>(now_ns / tick_ns); }

/// The span an address of the region lies in. Undefined when its page is in none.
Span* span_containing(const void* p);

/// What is wrong with a pointer into the region that free() was given; true when it is the start of an
/// object.
bool is_object_start(const void* p, size_t* object_size);

}  // namespace hotlane
