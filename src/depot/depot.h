// SPDX-License-Identifier: MIT
//
// The depot: the central free lists of one size class. Shelves hold the free objects that threads exchanged lately; the
// other free objects are in spans.
#pragma once

#include "depot/shelf.h"
#include "depot/span_store.h"

#include <atomic>
#include <utility>

namespace hotlane {

struct DepotStats {
    uint64_t spans = 0;
    uint64_t objects = 0;       // free objects on the shelves
    uint64_t outside = 0;       // objects outside the shelves and spans now
    uint64_t peak_outside = 0;  // most objects that were outside the shelves and spans at once
    uint64_t fresh = 0;         // objects taken out of spans whose memory is known to be unused until then
};

/// There is one depot for each class. A few neighbouring processors share a shelf, and a few share a store of spans, so
/// that only they wait for each other. A refill takes objects from the first of these that has any:
///   1. the shelf of the processor, newest first
///   2. other shelves, the nearest first
///   3. the partial span with the lowest address in the processor's store
///   4. partial spans of other stores
///   5. fresh spans
/// A flush puts objects onto the shelf of the processor. If they exceed its capacity, the oldest go back to their spans,
/// while the shelf is not locked. A span whose objects are all free goes back to the region.
///
/// Each thread may keep empty magazines between two visits, and passes them as `spare`.
class Depot {
  public:
    constexpr explicit Depot(ClassIndex c) : class_{c} {}

    /// The most shelves of a class, and the most stores. On a machine with more processors, several share one.
    static constexpr uint32_t kMostDomains = 16;

    /// Sets up what the depots of all classes share. A depot is set up when it is first used: to write to each of them
    /// would touch six pages in every process.
    static void set_up_all();
    /// What Region::Settings must have after that.
    static size_t section_metadata_bytes();

    /// Takes up to `count` objects into `out`, the one to use first at the front. Returns how many. O(count).
    uint32_t refill_from_shelves(void** out, uint32_t count, SpareMagazines* spare = nullptr);
    /// The same from spans. If there are no pages, returns 0 and sets `*why`. `*zeroed` tells whether out[0] is known to
    /// read as zero. `may_grow` is passed to Region::take().
    uint32_t refill_from_spans(void** out, uint32_t count, bool may_grow, bool* zeroed, RegionFailure* why);
    uint32_t refill(void** out, uint32_t count, bool may_grow, bool* zeroed, RegionFailure* why) {
        *zeroed = false;
        const uint32_t taken = refill_from_shelves(out, count);
        return taken != 0 ? taken : refill_from_spans(out, count, may_grow, zeroed, why);
    }
    /// Takes back objects, newest first. O(count).
    void put_back(void* const* objects, uint32_t count, SpareMagazines* spare = nullptr) {
        put_on_shelf(objects, count, spare, How::used);
    }
    /// The same for objects that were not used for an interval: the next reap() returns them to their spans.
    void put_back_unused(void* const* objects, uint32_t count, SpareMagazines* spare = nullptr) {
        put_on_shelf(objects, count, spare, How::unused);
    }
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

    /// Returns to their spans the objects on the shelves that were not needed since the last call; if
    /// `everything`, all objects on the shelves and all that are held back. Holds no lock for long.
    void reap(bool everything);

    DepotStats stats();
    /// Bytes of the objects that were taken from spans and not returned: they are live, in a thread's cache or on a
    /// shelf. Takes no lock.
    size_t taken_bytes() const;

    // For fork: all locks of all depots. In between, the lock of the region is taken.
    static void lock_all();
    static void unlock_all();

  private:
    struct Domain;
    enum class How : uint8_t { used, unused };
    /// So many objects are put by one visit of a shelf.
    static constexpr uint32_t kMostPut = SpareMagazines::kMost * Magazine::kSlots;
    struct Surplus {
        Shelf::Dropped dropped{};
        bool is_more = false;  // there is more to drop
    };

    static void set_up_domains();
    static Domain* domain_memory(uint32_t domain);
    static bool is_set(const std::atomic<uint32_t>& bits, uint32_t number) {
        return (bits.load(std::memory_order_acquire) >> number & 1) != 0;
    }
    static uint32_t own_shelf_number();
    Shelf* own_shelf();
    uint32_t own_store();
    Shelf& shelf(uint32_t number) const;
    SpanStore& store(uint32_t number);
    template <typename Visit>
    static void find(const std::atomic<uint32_t>& set_up, uint32_t own, Visit visit);
    template <typename Visit>
    void for_each_shelf(Visit visit) const;
    template <typename Visit>
    void for_each_store(Visit visit);
    static uint32_t take_from_shelf(Shelf& shelf, void** out, uint32_t count, SpareMagazines* spare);
    uint32_t take_from_store(uint32_t number, void** out, uint32_t count, bool may_grow, bool may_open,
                             bool* zeroed, RegionFailure* why);
    void put_on_shelf(void* const* objects, uint32_t count, SpareMagazines* spare, How how);
    void put_many(Shelf& shelf, void* const* objects, uint32_t count, SpareMagazines* spare, How how);
    void put_few(Shelf& shelf, void* const* objects, uint32_t count, SpareMagazines* spare, How how);
    static bool add_few(Shelf& shelf, void* const* objects, uint32_t count, SpareMagazines* spare, How how);
    void return_surplus(Shelf& shelf, Surplus surplus, uint32_t allowed, void** buffer,
                        SpareMagazines* spare);
    uint32_t allowance(const Shelf& shelf) const;
    static Surplus drop_surplus(Shelf& shelf, uint32_t allowed, void** buffer);
    bool return_dropped(const Shelf::Dropped& dropped, SpareMagazines* spare);
    static void prefetch_spans(void* const* objects, uint32_t count);
    uint32_t return_by_store(void* const* objects, uint32_t count, Operation operation);
    uint32_t return_to_spans(void* const* objects, uint32_t count, Operation operation);
    static void forget_held_back();
    void return_held_back();
    void reap_shelf(Shelf& shelf, bool everything);
    PutBackResult judge(const void* object);
    uint64_t shelved() const;
    int64_t outside() const;
    void note_peak(int64_t from_spans);

    static std::atomic<Domain*> domains_[kMostDomains];

    // Of held_back, and of the set-up of shelves and stores. It may be held when a shelf is locked, and never the other way round.
    Lock lock_{LockRank::depot};
    const ClassIndex class_;
    std::atomic<uint32_t> capacity_{0};  // of all shelves together, in objects
    std::atomic<uint32_t> shelves_{0};   // a bit for each shelf that is set up
    std::atomic<uint32_t> stores_{1};    // a bit for each store that is set up
    int64_t held_ = 0;                   // objects that are held back
    // Objects that were taken from spans and not returned: they are outside, on a shelf, or held back. All domains
    // change it, but only when they visit spans.
    alignas(64) std::atomic<int64_t> from_spans_{0};
    std::atomic<uint64_t> peak_outside_{0};
    SpanStore first_store_;  // also of processors whose own store has no memory
};

/// The depots of all classes.
class Depots {
  public:
    template <ClassIndex... classes>
    constexpr explicit Depots(std::integer_sequence<ClassIndex, classes...>) : of_class_{Depot(classes)...} {}
    Depot& operator[](ClassIndex c) { return of_class_[c]; }

  private:
    Depot of_class_[kMaxClasses];
};
extern constinit Depots depots;

/// Whether `p`, a pointer into a span, is the start of an object. Sets `*object_size` in either case.
bool is_object_start(const void* p, size_t* object_size);

}  // namespace hotlane
