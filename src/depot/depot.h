// SPDX-License-Identifier: MIT
//
// The depot: the central free lists of one size class. Rings hold the free objects that threads exchanged
// lately; the other free objects are in spans.
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
    uint64_t objects = 0;       // free objects in the rings
    uint64_t outside = 0;       // objects outside the rings and spans now
    uint64_t peak_outside = 0;  // most objects that were outside the rings and spans at once
    uint64_t fresh = 0;         // objects taken out of spans whose memory is known to be unused until then
};

/// There is one depot for each class. A refill takes objects from the first of these that has any:
///   1. the ring of the processor, newest first
///   2. another processor's ring
///   3. the partial span with the lowest address
///   4. a fresh span
/// A flush puts objects into the ring of the processor. If they exceed its capacity, the oldest go back to
/// their spans. A span whose objects are all free goes back to the region.
class Depot {
  public:
    /// On a machine with more processors, several of them share a ring.
    static constexpr uint32_t kMostRings = 4;

    /// Sets up the depots of all classes.
    static void set_up_all();

    /// Takes between 1 and `count` objects into `out`, the one to use first at the front. Returns how many.
    /// If there are no pages, returns 0 and sets `*why`. `*zeroed` tells whether out[0] is known to read as
    /// zero. `may_grow` is passed to Region::take(). O(count), one lock.
    uint32_t refill(void** out, uint32_t count, bool may_grow, bool* zeroed, RegionFailure* why);
    /// Takes back at most tuning::kMostSlots objects, newest first. O(count), one lock.
    void put_back(void* const* objects, uint32_t count);
    /// The same for objects that were not used for an interval: the next reap() returns them to their spans.
    void put_back_unused(void* const* objects, uint32_t count);
    /// Takes back one object from a thread without a cache. The object is held back, so that nobody gets it,
    /// for as long as it is among the newest frees of that thread (base/newest_frees.h).
    void put_back_late(void* object);
    /// The same, but verifies the free first and later returns the object straight to its span. Returns false
    /// if it reported a misuse.
    bool put_back_checked(void* object, Operation operation);
    /// Whether the object is live. Exact only if every free is verified.
    bool is_live(const void* object);
    /// Called in a forked child: undoes the held-back frees of the threads that the child does not have.
    /// Returns how many.
    uint32_t undo_newest_frees();

    /// Returns to their spans the objects in the rings that were not needed since the last call; if
    /// `everything`, all objects in the rings and all that are held back.
    void reap(bool everything);

    DepotStats stats();
    Lock& lock() { return lock_; }

  private:
    void set_up(ClassIndex c);
    bool has_slots();
    Ring& ring_of_processor();
    Ring* ring_to_take_from();
    uint32_t take_from_spans(void** out, uint32_t count, bool may_grow, bool* zeroed, RegionFailure* why);
    bool open_spans(uint32_t objects, bool may_grow, RegionFailure* why);
    void open_span(const PageRun& run);
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
    uint32_t first_slot_ = 0;  // of this depot's rings, in the array of all depots' slots
    Ring rings_[kMostRings];
    uint64_t spans_ = 0;
    int64_t outside_ = 0;  // can be negative after double frees, until the spans notice them
    int64_t peak_outside_ = 0;
    uint64_t fresh_ = 0;
    SpanHeap partial_;
};

extern constinit Depot depots[kMaxClasses];
/// The length of a tick in nanoseconds. The age of free pages is counted in ticks of the clock, modulo 256.
extern constinit uint64_t tick_ns;
inline uint8_t tick_at(uint64_t now_ns) { return static_cast<uint8_t>(now_ns / tick_ns); }

/// The span that an address of the region lies in. Undefined if its page is in no span.
Span* span_containing(const void* p);

/// Whether `p`, a pointer into a span, is the start of an object. Sets `*object_size` in either case.
bool is_object_start(const void* p, size_t* object_size);

}  // namespace hotlane
