// SPDX-License-Identifier: MIT
//
// What a thread cache has besides its words: the slots, and a record per class that only slow paths touch.
// Knows nothing of the fallback or of options.
// Used by thread_cache.cpp (the owner's side) and threads.cpp (everybody else's side).
#pragma once

#include "base/lock.h"
#include "cache/thread_cache.h"
#include "observe/stats.h"

namespace hotlane {

/// Per thread and class. Everything but `hits` is counted when it happens; hits and puts follow from the
/// word:
///   hits = hits_before + (pops(word) - preset)
///   puts = level + hits + flushed - refilled
struct ClassRecord {
    uint64_t hits_before;  // pops up to when the count was last preset
    uint64_t preset;       // the count at that moment
    uint64_t misses;
    uint64_t refilled;  // objects put on the stack by refills
    uint64_t flushed;   // objects taken off it by flushes
    uint64_t refills;
    uint64_t flushes;
    uint64_t look_every;  // pops between two looks at the clock
    uint64_t last_look_ns;
    uint64_t word_at_upkeep;  // unchanged: the class was not used in this interval
    void* limbo;              // taken by upkeep while the owner may have been popping it (threads.cpp)
    uint32_t limbo_slot;
    uint32_t floor;     // index of the nullptr; 0: the class is not set up
    uint32_t capacity;  // objects
};

/// Mapped once, recycled when the thread ends. Most of its 128 KiB are never touched.
struct ThreadBlock {
    Lock lock{LockRank::cache};  // slow paths of the owner, against upkeep, statistics and fork
    ThreadCache* cache = nullptr;
    ThreadBlock* next = nullptr;  // in the list of live threads, or of free blocks
    ThreadBlock* previous = nullptr;
    uint32_t exit_rounds = 0;
    ForwardStats forwards[kForwardReasons];
    uint64_t forward_frees = 0;
    ClassRecord records[kMaxClasses] = {};
    void* below_first_slot = nullptr;  // slots[-1]: what a class that is not set up pops
    void* slots[kMaxClasses * word::kSlotsPerClass];

    uint32_t level(ClassIndex c) const {
        return records[c].floor == 0
                   ? 0
                   : static_cast<uint32_t>(word::top(word::load(cache->words[c]))) - records[c].floor - 1;
    }
    uint64_t hits(ClassIndex c) const;
    void add_to(ClassStats& stats, ClassIndex c) const;

    /// Restarts the pop count so that the carry comes at the k-th pop from now.
    void preset_trigger(ClassIndex c, uint64_t k);
    /// All objects of a class to the depot; the class is not set up afterwards. The owner's words must be at
    /// rest.
    void flush_all(ClassIndex c);
    /// What upkeep left undecided: whether the owner had popped the object that upkeep took. Under `lock`,
    /// while the owner is not in its fast path.
    void settle_limbo(ClassIndex c);
};

}  // namespace hotlane
