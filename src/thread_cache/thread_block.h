// SPDX-License-Identifier: MIT
//
// What a thread cache has besides its words: the slots, and a record per class that only slow paths touch.
// Knows nothing of the fallback or of options.
// Used by thread_cache.cpp (the owner's side) and threads.cpp (everybody else's side).
#pragma once

#include "stats/stats.h"
#include "sync/lock.h"
#include "thread_cache/thread_cache.h"

namespace hotlane {

/// Per thread and class. Hits and puts are not counted when they happen, they follow from the lane:
///   hits = hits_before + (countdown_from - countdown)
///   puts = level + hits + flushed - refilled
struct ClassRecord {
    uint64_t hits_before;     // up to when countdown was last given
    uint64_t countdown_from;  // then
    uint64_t misses;
    uint64_t refilled;  // objects put on the stack by refills
    uint64_t flushed;   // objects taken off it by flushes
    uint64_t refills;
    uint64_t flushes;
    uint64_t last_poll_ns;
    uint64_t floor;        // index of the nullptr; 0: the class is not set up
    uint64_t top_at_pass;  // with countdown_at_pass unchanged: the class was not used in this interval
    uint64_t countdown_at_pass;
    void* pending_reclaim;           // taken by upkeep while the owner may have been popping it (threads.cpp)
    uint64_t pending_reclaim_index;  // where it lay
    uint64_t sample_at;              // after so many gets the next is sampled or guarded
    uint32_t sample_epoch;           // of the sampler, for which that was drawn
    uint16_t beyond_sample;          // of the countdown: what lies beyond that sample
    uint16_t poll_after;             // so many pops the thread looks at the clock
};

inline constexpr size_t kWindowBytes = kSlotsPerLane * sizeof(void*);

/// What a thread has besides its lanes: this header, then a window of 2 KiB for each class it uses, in the
/// order of first use, so that few classes touch few OS pages:
///
///      slots (at most tuning::kMostSlots, and the nullptr)         ClassRecord
///   ^ begins one slot early: a full lane's top is at index 0, its newest object in the slot before
///
/// Recycled when the thread ends.
struct ThreadBlock {
    Lock lock{LockRank::cache};  // slow paths of the owner, against upkeep, statistics and fork
    ThreadCache* cache = nullptr;
    ThreadBlock* next = nullptr;  // in the list of live threads, or of free blocks
    ThreadBlock* previous = nullptr;
    uint64_t poll_soon_ns = 0;  // when that was last done for a flush
    FallbackStats fallback_allocations[kFallbackReasons];
    uint64_t fallback_frees = 0;
    uint8_t window_count = 0;
    uint8_t windows[kMaxClasses] = {};  // of a class; 0: never used by this thread
    /// Which of the two is due at ClassRecord::sample_at: the earlier. Valid for its sample_epoch.
    uint64_t profile_at[kMaxClasses];
    uint64_t guard_at[kMaxClasses];

    /// `counter` is one of `fallback_allocations` or fallback_frees: the owner counts without the lock.
    /// Relaxed, it pairs with counted(): each value is one that there was.
    static void count(uint64_t& counter, uint64_t n) {
        __atomic_store_n(&counter, counter + n, __ATOMIC_RELAXED);
    }
    static uint64_t counted(const uint64_t& counter) { return __atomic_load_n(&counter, __ATOMIC_RELAXED); }

    Lane& lane(ClassIndex c) const { return cache->lanes[c]; }
    // Relaxed: the owner under `lock`, or others who will look again; order is LaneOfOther's to see to.
    uint64_t top(ClassIndex c) const { return __atomic_load_n(&lane(c).top, __ATOMIC_RELAXED); }
    void set_top(ClassIndex c, uint64_t index) { __atomic_store_n(&lane(c).top, index, __ATOMIC_RELAXED); }
    bool has_record(ClassIndex c) const { return windows[c] != 0; }
    /// Of a class that has one.
    ClassRecord& record(ClassIndex c) const {
        const uintptr_t window = address_of(this) + windows[c] * kWindowBytes;
        return *static_cast<ClassRecord*>(
            pointer_to(window + kWindowBytes - sizeof(void*) - sizeof(ClassRecord)));
    }
    /// Gives the class one, with all that is counted at 0.
    void ensure_record(ClassIndex c);
    /// Requests served, of a class that has a record.
    uint64_t allocations(ClassIndex c) const {
        const ClassRecord& record = this->record(c);
        return counted(record.hits_before) + counted(record.countdown_from) + record.misses -
               counted(lane(c).countdown);
    }
    bool is_set_up(ClassIndex c) const { return has_record(c) && record(c).floor != 0; }
    uint32_t level(ClassIndex c) const {
        return is_set_up(c) ? static_cast<uint32_t>(record(c).floor - top(c)) : 0;
    }
    uint32_t capacity(ClassIndex c) const { return static_cast<uint32_t>(record(c).floor & 0xFF); }
    /// The index at which the lane of a class is full.
    uint64_t lane_begin(ClassIndex c) const;
    void add_to(ClassStats& stats, ClassIndex c) const;

    // The owner's countdown is read and written relaxed: nothing else is reached through it.

    /// From an empty or unset lane to one that holds nothing and may hold `capacity` objects.
    void set_up_class(ClassIndex c, uint32_t capacity);
    /// Room for more: the objects move towards higher indices.
    void grow(ClassIndex c, uint32_t capacity);
    /// The older `count` objects to the depot, the newer down to the floor.
    void flush_oldest(ClassIndex c, uint32_t count);
    /// All objects of a class to the depot; the class is not set up afterwards. The owner's lanes must be at
    /// rest.
    void flush_all(ClassIndex c);
    /// The same for a class that was not used for an interval.
    void flush_unused(ClassIndex c);
    /// In a forked child, of a thread that it lost: its newest frees have not happened. libc frees blocks of
    /// a thread's storage before it forgets them (pthread_create, for a stack that it uses again). A fork in
    /// between leaves the child to free them once more.
    void undo_newest_frees();
    /// From a lane that counts for nothing any more to one of zeros.
    void unset_class(ClassIndex c);
    /// The next so many pops are plain hits, or as many as there are before a sample, and the others after
    /// it; the one after that takes the slow path. At most UINT16_MAX.
    void set_countdown(ClassIndex c, uint64_t pops);
    /// Takes back what the fast path counted before it gave up. What was due then may have allocated of this
    /// class (a thread was started, a profile written): these hits went beyond the countdown, and are kept.
    void resolve_countdown(ClassIndex c);
    /// The sample is nearer than it was, or farther: gives what countdown there is anew.
    void limit_countdown(ClassIndex c);
    /// Whether the next request of the class has to ask take_turn(). By the owner, without `lock`: while
    /// upkeep changes the countdown, the answer may come one request late.
    bool may_have_turn(ClassIndex c, uint32_t epoch) const {
        return !has_record(c) || record(c).sample_epoch != epoch || allocations(c) >= record(c).sample_at;
    }
    /// What the request after so many gets of the class was drawn for in this epoch; what is next is drawn.
    Drawn take_turn(ClassIndex c, uint32_t epoch);
    /// The countdown until the next look at the clock.
    void poll_after(ClassIndex c, uint64_t pops);
    /// Every class's next pop takes the slow path, once.
    void poll_soon();
    /// What upkeep left undecided: whether the owner had popped the object that upkeep took. Under `lock`,
    /// while the owner is not in its fast path.
    void resolve_pending_reclaim(ClassIndex c);
};

static_assert(sizeof(ThreadBlock) <= kWindowBytes - sizeof(void*));
static_assert(tuning::kMostSlots * sizeof(void*) + sizeof(ClassRecord) <= kWindowBytes - sizeof(void*));

inline constexpr size_t kThreadMemoryBytes = kWindowBytes * kMaxClasses;  // window 0 is the header

}  // namespace hotlane
