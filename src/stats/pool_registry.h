// SPDX-License-Identifier: MIT
//
// All bounded pools that exist, and the counts under each name.
#pragma once

#include "base/atomic_access.h"
#include "hotlane/pool_set.h"
#include "stats/stats.h"
#include "sync/return_ring.h"
#include "sync/tagged_stack.h"

#include <algorithm>

namespace hotlane {

/// The parts of a pool that grows (pools/pool_growth.h).
struct PoolChunks;

/// The library's part of a pool, beyond what its header inlines. The slots lie behind it. There are three kinds:
///
///   of one thread   bottom <= top <= full and bottom <= low. full - top objects are handed out. low <= top,
///                   except after a reset of peaks until the next get. gets = gets_at_zero - countdown.
///   ring            the same; objects that the other thread put back lie in `ring` until the next slow get.
///   shared          top, low, full and bottom are null, and extent is 0, so that every get and put calls the
///                   library. The free objects are on `stack`, by their numbers.
struct Pool : hotlane_pool {
    size_t capacity;          // objects now; changes under the registry's lock
    size_t first_capacity;    // at creation
    size_t max_capacity;      // the pool grows to so many
    size_t bytes;             // of the range of addresses of the objects
    size_t charged_bytes;     // against the limits
    unsigned flags;           // HOTLANE_POOL_*
    unsigned number;          // in the set
    hotlane_pool_set* set;    // null: the pool is not a class of a set
    TaggedStack* stack;       // null: the pool is not shared
    ReturnRing* ring;         // null: the pool is not a ring
    uintptr_t other_thread;   // that puts into the ring; 0: none has yet
    PoolChunks* chunks;       // null: the pool does not grow
    uint64_t object_inverse;  // of a shared pool: 2^64 / object_size, rounded up

    // Written by the owner, or atomically by all threads of a shared pool.
    uint64_t exhausted;
    uint64_t fallbacks;
    uint64_t fallbacks_in_use;
    uint64_t growths;  // times the pool grew

    uint64_t least_free;         // of a shared pool, what low is of the others: free or absent objects
    uint64_t gets_before;        // of a shared pool, before its last reset
    uint64_t peak_floor;         // the peak since the last reset of statistics is at least this
    uint64_t peak_before_reset;  // the peak before that reset
    uint64_t wanted_capacity;    // what the last window of time needed
    bool trim_due;               // the next slow get shall compare the capacity with wanted_capacity
    size_t name_index;
    Pool* next;
    Pool* previous;

    // The owner changes these three and the countdown between begin_change() and end_change().
    uint32_t changes;       // odd while the owner changes them
    uint64_t gets_at_zero;  // gets = gets_at_zero - countdown
    uint64_t fresh;         // objects that were handed out at least once

    uint64_t demand;              // most objects wanted at once while the pool was exhausted; 0: never
    uint64_t unserved;            // requests since the last put that neither pool nor allocator served
    uint64_t puts_when_unserved;  // puts at the last such request
    size_t owned_each;            // bytes that each object owns outside the pool
    size_t owned_bytes;           // bytes that objects own beyond that
    size_t peak_owned_bytes;

    // The sampled hold (pools/hold_timer.h).
    void* timed;             // the object whose hold is being timed; null: none
    uint64_t timed_since;    // ticks
    uint64_t looked_at;      // ticks at the last end of the countdown
    uint32_t look_interval;  // gets from one end of the countdown to the next, on average; 0: not timed

    /// Readers repeat while a change is under way (counts()).
    void begin_change() { store_relaxed(changes, changes + 1); }
    void end_change() { store_release(changes, changes + 1); }

    struct Counts {
        uint64_t gets;
        uint64_t fresh;
    };
    /// Any thread. Never less than an earlier call returned.
    Counts counts() const;

    // Relaxed: the owner writes and reports read. Each value is one that the pool had at some time.
    uint64_t in_use() const;
    uint64_t peak_since_reset() const;
    uint64_t peak() const { return std::max(peak_before_reset, peak_since_reset()); }
};

/// Copies what of a name the statistics show: as much as fits, with ? for control characters. `out` is all zeros.
void copy_name(char* out, size_t capacity, const char* name);

namespace pools {

/// Adds a pool. `name` is what the statistics call it (null: "unnamed"). There are at most kMaxPoolNames
/// names. The last one is "others", for all new names when the rest is taken.
void enter(Pool& pool, const char* name);
/// Removes a pool. What it counted stays under its name.
void leave(Pool& pool);
/// Counts one sampled hold. Any thread.
void add_hold(const Pool& pool, uint64_t ns);
const char* name_of(const Pool& pool);

/// Any thread may call it. Pools that are in use meanwhile are counted at some moment of the call.
void add_to(Snapshot& snapshot);
/// Changes the capacity of a pool of one thread by `objects`, and its slots with it: adds free objects at
/// `bottom`, or removes them there. Called by its owner.
void resize(Pool& pool, ptrdiff_t objects);
/// Holds the registry's lock: while a shared pool gets or gives up objects. Only one thread at a time does so,
/// fork waits for it, and a snapshot sees the pool before or after it.
class RegistryGuard {
  public:
    RegistryGuard();
    ~RegistryGuard();
    RegistryGuard(const RegistryGuard&) = delete;
    RegistryGuard& operator=(const RegistryGuard&) = delete;
};
/// Changes the capacity of a shared pool. The caller holds a RegistryGuard.
void set_shared_capacity(Pool& pool, size_t capacity);
/// Once per HOTLANE_PURGE_DELAY: pools that grew learn how many objects they needed since the last call. Their
/// next slow get gives back the rest. Any thread may call it; takes no lock if no pool grew.
void begin_window();
/// Notes that a pool has grown, so that begin_window() has something to do.
void note_growth();

/// Counts memory against the limit of all pools. Returns false and counts nothing if it would be exceeded.
[[nodiscard]] bool charge(size_t bytes);
void discharge(size_t bytes);
/// `bytes` 0: no limit.
void set_limit(size_t bytes);

/// Peaks since the last reset restart at what is handed out now. Any thread may call it.
void reset_peaks();

void lock_for_fork();
void unlock_after_fork();

}  // namespace pools

}  // namespace hotlane
