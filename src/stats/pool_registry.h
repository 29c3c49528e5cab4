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
/// behind the slots. Invariant: bottom <= top <= full and bottom <= low. full - top objects are handed out.
/// low <= top, except after a reset of peaks until the next get.
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
const char* name_of(const Pool& pool);

/// Any thread may call it. Pools that are in use meanwhile are counted at some moment of the call.
void add_to(Snapshot& snapshot);
/// Peaks since the last reset restart at what is handed out now. Any thread may call it.
void reset_peaks();

void lock_for_fork();
void unlock_after_fork();

}  // namespace pools

}  // namespace hotlane
