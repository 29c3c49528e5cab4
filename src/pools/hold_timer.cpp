// SPDX-License-Identifier: MIT
//
// Chooses which get is timed, and makes the put of its object take the slow path.
#include "pools/hold_timer.h"

#include "lifecycle/startup.h"
#include "maintenance/tuning.h"
#include "platform/time/tsc.h"

#include <algorithm>
#include <utility>

namespace hotlane::hold_timer {

namespace {

/// An object that is held longer than this counts as held for this long, so that an object that never comes
/// back does not keep others from being timed.
constexpr uint64_t kLongestNs = 10'000'000'000;

bool has_extent(const Pool& pool) { return (pool.flags & HOTLANE_POOL_ZERO_ON_PUT) == 0; }

/// Finds the slot of the last object if it is free and near either end of the free ones. It is the lowest
/// slot unless the pool was exhausted since. Null if it is not found.
void** slot_of_last(const Pool& pool) {
    constexpr ptrdiff_t kSearched = 64;
    void* const last = pointer_to(pool.begin + pool.bytes - pool.object_size);
    const ptrdiff_t searched = std::min(kSearched, pool.top - pool.bottom);
    void** const low_end = pool.bottom + searched;
    if (void** const found = std::find(pool.bottom, low_end, last); found != low_end) {
        return found;
    }
    void** const found = std::find(pool.top - searched, pool.top, last);
    return found != pool.top ? found : nullptr;
}

void finish(Pool& pool, uint64_t now) {
    pools::add_hold(pool, ticks::to_ns(now - pool.timed_since));
    cancel(pool);
}

void begin(Pool& pool, uint64_t now) {
    if (has_extent(pool)) {
        void** const last = slot_of_last(pool);
        if (last == nullptr) {
            return;
        }
        std::swap(*last, pool.top[-1]);
        pool.extent = pool.bytes - pool.object_size;
    }
    pool.timed = pool.top[-1];
    pool.timed_since = now;
}

}  // namespace

void set_up(Pool& pool) {
    const bool timed = (pool.flags & HOTLANE_POOL_TIMED) != 0 || config().pool_times;
    const bool of_one_thread = pool.stack == nullptr && pool.ring == nullptr && pool.chunks == nullptr;
    if (timed && of_one_thread && (pool.flags & HOTLANE_POOL_IN_ORDER) == 0) {
        ticks::set_up();
        pool.look_interval = 1;
        pool.looked_at = ticks::now();
    }
}

void cancel(Pool& pool) {
    pool.timed = nullptr;
    if (has_extent(pool) && pool.stack == nullptr) {
        pool.extent = pool.bytes;
    }
}

void finish_with_put(Pool& pool) {
    if (has_extent(pool)) {
        std::swap(*pool.top, *pool.bottom);  // the last object is found there the next time
    }
    finish(pool, ticks::now());
}

uint64_t look(Pool& pool) {
    constexpr uint64_t kNever = INT64_MAX;
    if (pool.look_interval == 0) {
        return kNever;  // not timed: no clock is read
    }
    const uint64_t now = ticks::now();
    if (pool.timed != nullptr && ticks::to_ns(now - pool.timed_since) > kLongestNs) {
        finish(pool, now);
    }
    if (pool.timed == nullptr) {
        begin(pool, now);
    }
    pool.look_interval = tuning::next_look(pool.look_interval, ticks::to_ns(now - pool.looked_at));
    pool.looked_at = now;
    return tuning::random_countdown(pool.look_interval, now);
}

}  // namespace hotlane::hold_timer
