// SPDX-License-Identifier: MIT
//
// All bounded pools that exist, and what is counted under each name.
// Must not know how a pool gets its memory, nor who asks.
// Called by pool (coming and going), by snapshot and by fork.
#pragma once

#include "hotlane/hotlane.h"
#include "stats/stats.h"

#include <algorithm>

namespace hotlane {

/// What the library keeps of a pool beyond what its header inlines. The slots lie behind it, then the
/// objects. Invariant: bottom <= top <= full, bottom <= low; the objects handed out are full - top. low <=
/// top but after a reset of peaks, until the next get.
struct Pool : hotlane_pool {
    size_t capacity;
    size_t bytes;     // of all objects
    unsigned flags;   // HOTLANE_POOL_*
    uintptr_t owner;  // thread pointer of the one that may get and put
    uint64_t exhausted;
    uint64_t fallbacks;
    uint64_t fallbacks_in_use;
    uint64_t peak_before_reset;
    size_t name_index;
    Pool* next;
    Pool* previous;

    // Relaxed: the owner writes, reports read; each value is one that there was.
    uint64_t in_use() const { return static_cast<uint64_t>(full - __atomic_load_n(&top, __ATOMIC_RELAXED)); }
    uint64_t peak_since_reset() const {
        return std::max(in_use(), static_cast<uint64_t>(full - __atomic_load_n(&low, __ATOMIC_RELAXED)));
    }
    uint64_t peak() const { return std::max(peak_before_reset, peak_since_reset()); }
};

namespace pools {

/// `name` as statistics shall call it (null: "unnamed"). The last of
/// kMaxPoolNames names is "others", for all that come when the rest is taken.
void enter(Pool& pool, const char* name);
/// What it counted stays under its name.
void leave(Pool& pool);
const char* name_of(const Pool& pool);

/// Any thread. Pools in use meanwhile are counted as of now.
void add_to(Snapshot& snapshot);
/// Peaks since the last reset begin with what is handed out now. Any thread.
void reset_peaks();

void lock_for_fork();
void unlock_after_fork();

}  // namespace pools

}  // namespace hotlane
