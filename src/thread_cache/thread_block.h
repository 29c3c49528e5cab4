// SPDX-License-Identifier: MIT
//
// The part of a thread cache that lies outside thread-local storage: the slots of its lanes, and a record for
// each class that only slow paths touch.
#pragma once

#include "depot/magazine.h"
#include "stats/stats.h"
#include "sync/lock.h"
#include "thread_cache/countdown.h"
#include "thread_cache/thread_cache.h"

#include <algorithm>
#include <utility>

namespace hotlane {

/// One for each thread and class. Hits and frees are not counted when they happen. They follow from the lane:
///   hits  = countdown.hits()
///   frees = level + hits + flushed - refilled
struct ClassRecord {
    Countdown countdown;
    uint64_t misses;
    uint64_t refilled;  // objects put on the stack by refills
    uint64_t flushed;   // objects taken off it by flushes
    uint64_t refills;
    uint64_t flushes;
    uint64_t last_poll_ns;
    void** floor;        // the slot that holds nullptr; null: the class is not set up
    void** top_at_pass;  // if this and the next are unchanged, the class was not used since the last pass
    uint64_t countdown_at_pass;
    void* pending_reclaim;        // object taken by maintenance while the owner may have been popping it
    void** pending_reclaim_slot;  // its slot
    uint64_t sample_at;           // after this many allocations the next one is sampled or guarded
    uint32_t sample_epoch;        // the sampler's epoch for which that was drawn
    uint16_t poll_after;          // after this many pops the thread polls
};

/// How much of a class a lane overflows with before it runs dry. A lane that was larger by that would have
/// needed neither the flushes nor the refill.
struct Swing {
    uint16_t flushed;        // by overflows since the last refill, or as many as fit
    uint16_t most;           // that the capacity and what was flushed made together
    uint8_t capacity;        // chosen for it, with HOTLANE_THREAD_CACHE=auto; 0: none
    uint8_t recent;          // refills after an overflow, halved from time to time
    uint8_t puts_at_refill;  // a hash of the number of frees at the last refill
    uint8_t gets_at_flush;   // a hash of the number of allocations at the last flush

    /// Whether `count` is most likely the number whose hash `mark` is. Sets the mark to that of `count`.
    static bool is_unchanged(uint8_t& mark, uint64_t count) {
        const auto hash = static_cast<uint8_t>(count * 0x9E3779B97F4A7C15 >> 56);
        return std::exchange(mark, hash) == hash;
    }
    void add_flushed(uint32_t count) {
        flushed = static_cast<uint16_t>(std::min<uint32_t>(flushed + count, UINT16_MAX));
    }
};

/// What a thread has besides its lanes: this header, then a window of 2 KiB for each class it uses. Windows
/// are given out in the order of first use, so that a thread with few classes touches few OS pages:
///
///      slots (at most tuning::kMostSlots, and the nullptr)         ClassRecord
///   ^ a multiple of 2 KiB: the top of a full lane
///
/// When the thread ends, the block is recycled. Its windows stay with their classes and its counts go on, so the counts of
/// all blocks together are those of all threads that ever were.
struct ThreadBlock {
    Lock lock{LockRank::cache};    // excludes maintenance, statistics and fork from the owner's slow paths
    ThreadCache* cache = nullptr;  // of a block without a thread: one that is all zeros
    ThreadBlock* next = nullptr;   // in the list of all blocks; never changes
    ThreadBlock* next_free = nullptr;  // in the list of blocks without a thread
    uint64_t threads_ended = 0;        // that had this block
    SpareMagazines spare;              // for the next flush; stay when the block is recycled
    uint64_t poll_soon_ns = 0;         // when put_back_slow() last called poll_soon()
    size_t lanes_bytes = 0;            // what all lanes may hold: the sum of capacity times object size
    FallbackStats fallback_allocations[kFallbackReasons];
    uint64_t fallback_frees = 0;
    bool is_live = false;  // a thread has it; changes under `lock`
    uint8_t window_count = 0;
    uint8_t windows[kMaxClasses] = {};  // number of each class's window; 0: never used by this thread
    /// The allocation counts of a class at which the profiler and the guards are due. The smaller of the two
    /// is ClassRecord::sample_at. Valid for its sample_epoch.
    uint64_t profile_at[kMaxClasses];
    uint64_t guard_at[kMaxClasses];
    Swing swings[kMaxClasses];
    uint32_t frees_before[kMaxClasses];  // the lower half of the frees by former threads

    Lane& lane(ClassIndex c) const { return cache->lanes[c]; }
    // Relaxed: called by the owner under `lock`, or by others who check again. Where order matters,
    // LaneOfOther is used.
    void** top(ClassIndex c) const { return load_relaxed(lane(c).top); }
    void set_top(ClassIndex c, void** slot) { store_relaxed(lane(c).top, slot); }
    bool has_record(ClassIndex c) const { return windows[c] != 0; }
    /// The class must have a record.
    ClassRecord& record(ClassIndex c) const {
        return *static_cast<ClassRecord*>(
            pointer_to(address_of(window(c)) + kWindowBytes - sizeof(ClassRecord)));
    }
    /// Gives the class a record with all counts at 0, if it has none.
    void ensure_record(ClassIndex c);
    /// How many requests of the class were served. The class must have a record.
    uint64_t allocations(ClassIndex c) const {
        const ClassRecord& record = this->record(c);
        return record.countdown.hits(lane(c).countdown) + record.misses;
    }
    bool is_set_up(ClassIndex c) const { return has_record(c) && record(c).floor != nullptr; }
    uint32_t level(ClassIndex c) const {
        return is_set_up(c) ? static_cast<uint32_t>(record(c).floor - top(c)) : 0;
    }
    uint32_t capacity(ClassIndex c) const { return static_cast<uint32_t>(record(c).floor - window(c)); }
    /// What the lane of a class may hold, in bytes.
    size_t lane_bytes(ClassIndex c) const {
        return is_set_up(c) ? capacity(c) * size_classes[c].object_size : 0;
    }
    /// Moves the floor of a lane, and with it the capacity. Null: the class is not set up any more.
    void set_floor(ClassIndex c, void** floor);
    /// The first slot of the class, at which its lane is full.
    void** window(ClassIndex c) const {
        return static_cast<void**>(pointer_to(address_of(this) + windows[c] * kWindowBytes));
    }
    void add_to(ClassStats& stats, ClassIndex c) const;
    /// The requests of all classes and of the fallback, by this thread and former ones.
    ThreadCounts counts() const;
    uint64_t frees(ClassIndex c) const {
        const ClassRecord& record = this->record(c);
        return level(c) + allocations(c) - record.misses + record.flushed - record.refilled;
    }
    /// Moves all objects to the depots. Afterwards the block has no thread, and its counts no longer depend on one.
    void retire();

    // The owner's countdown is read and written relaxed: no other data depends on it.

    /// Turns an empty or unset lane into an empty one with room for `capacity` objects.
    void set_up_class(ClassIndex c, uint32_t capacity);
    /// Makes room for `capacity` objects, at least as many as there are. The objects move.
    void set_capacity(ClassIndex c, uint32_t capacity);
    /// Moves the oldest `count` objects to the depot, and the newer ones towards the floor.
    void flush_oldest(ClassIndex c, uint32_t count);
    /// Moves all objects of a class to the depot. Afterwards the class is not set up. The owner must not be
    /// in its fast path.
    void flush_all(ClassIndex c);
    /// The same for a class that was not used for an interval (Depot::put_back_unused()).
    void flush_unused(ClassIndex c);
    /// Called in a forked child for a thread that the child does not have: undoes the thread's newest frees.
    /// libc frees blocks of a thread's storage before it drops its pointers to them (pthread_create does so
    /// when it reuses a stack). After a fork in between, the child frees these blocks once more.
    void undo_newest_frees();
    /// Resets a lane, whose objects are gone, to zeros, so that its next use takes the slow path.
    void unset_class(ClassIndex c);
    /// Pops of the class that may be plain hits before the next sample is due.
    uint64_t hits_until_sample(ClassIndex c) const;
    /// Countdown::start() and limit() of the class's lane.
    void set_countdown(ClassIndex c, uint64_t pops);
    void limit_countdown(ClassIndex c);
    /// Whether the next request of the class has to call take_turn(). Called by the owner without `lock`:
    /// while maintenance changes the countdown, the answer may come one request late.
    bool may_have_turn(ClassIndex c, uint32_t epoch) const {
        return !has_record(c) || record(c).sample_epoch != epoch || allocations(c) >= record(c).sample_at;
    }
    /// Returns whether the next request of the class is drawn for the profiler or the guards in this epoch.
    /// If so, draws the distance to the one after it.
    Drawn take_turn(ClassIndex c, uint32_t epoch);
    /// Sets the countdown until the next poll.
    void poll_after(ClassIndex c, uint64_t pops);
    /// Makes the next pop of every class take the slow path once.
    void poll_soon();
    /// Settles a pending reclaim: decides whether the owner had popped the object that maintenance took.
    /// Under `lock`, while the owner is not in its fast path.
    void resolve_pending_reclaim(ClassIndex c);
};

static_assert(sizeof(ThreadBlock) <= kWindowBytes);
static_assert((tuning::kMostSlots + 1) * sizeof(void*) + sizeof(ClassRecord) <= kWindowBytes);

inline constexpr size_t kThreadMemoryBytes = kWindowBytes * kMaxClasses;  // window 0 is the header

}  // namespace hotlane
