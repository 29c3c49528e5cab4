// SPDX-License-Identifier: MIT
//
// All bounded pools that exist, and the counts under each name.
#pragma once

#include "base/atomic_access.h"
#include "hotlane/hotlane.h"
#include "stats/stats.h"

#include <algorithm>

namespace hotlane {

/// The library's part of a pool, beyond what its header inlines. The slots lie behind it, and the objects
/// behind the slots. Invariants: bottom <= top <= full and bottom <= low. full - top objects are handed out.
/// low <= top, except after a reset of peaks until the next get. gets = gets_at_zero - countdown.
struct Pool : hotlane_pool {
    size_t capacity;
    size_t bytes;           // of all objects
    unsigned flags;         // HOTLANE_POOL_*
    hotlane_pool_set* set;  // the set that it is a class of; null: none
    uint64_t exhausted;
    uint64_t fallbacks;
    uint64_t fallbacks_in_use;
    uint64_t peak_before_reset;
    size_t name_index;
    Pool* next;
    Pool* previous;

    // The owner changes these three and the countdown between begin_change() and end_change().
    uint32_t changes;       // odd while the owner changes them
    uint64_t gets_at_zero;  // the number of gets when the countdown reaches 0
    uint64_t fresh;         // objects that were handed out at least once

    uint64_t growths;
    uint64_t demand;              // most objects wanted at once while the pool was exhausted; 0: never
    uint64_t unserved;            // requests since the last put that neither pool nor allocator served
    uint64_t puts_when_unserved;  // puts at the last such request
    size_t owned_each;            // bytes that each object owns outside the pool
    size_t owned_bytes;           // bytes that objects own beyond that
    size_t peak_owned_bytes;

    // The sampled hold (api/hold_timer.h).
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
    uint64_t in_use() const { return static_cast<uint64_t>(full - load_relaxed(top)); }
    uint64_t peak_since_reset() const {
        return std::max(in_use(), static_cast<uint64_t>(full - load_relaxed(low)));
    }
    uint64_t peak() const { return std::max(peak_before_reset, peak_since_reset()); }
};

namespace pools {

/// Adds a pool. `name` is what the statistics call it (null: "unnamed"). There are at most kMaxPoolNames
/// names. The last one is "others", for all new names when the rest is taken.
void enter(Pool& pool, const char* name);
/// Removes a pool. What it counted stays under its name.
void leave(Pool& pool);
/// Called when the pool has got `more` objects.
void note_growth(Pool& pool, size_t more);
/// Counts one sampled hold. Any thread.
void add_hold(const Pool& pool, uint64_t ns);
const char* name_of(const Pool& pool);

/// Any thread may call it. Pools that are in use meanwhile are counted at some moment of the call.
void add_to(Snapshot& snapshot);
/// Peaks since the last reset restart at what is handed out now. Any thread may call it.
void reset_peaks();

void lock_for_fork();
void unlock_after_fork();

}  // namespace pools

}  // namespace hotlane
