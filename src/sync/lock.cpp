// SPDX-License-Identifier: MIT
//
// Waiting for a lock, and the rank check of debug builds.
#include "sync/lock.h"

namespace hotlane {

namespace {

#ifndef NDEBUG
constexpr size_t kRankCount = static_cast<size_t>(LockRank::last);
thread_local uint32_t held_locks[kRankCount];  // per rank; fork holds the locks of all caches
#endif

constexpr int kSpins = 100;

}  // namespace

void check_rank_and_push([[maybe_unused]] LockRank rank) {
#ifndef NDEBUG
    const auto index = static_cast<size_t>(rank);
    for (size_t higher = index + 1; higher < kRankCount; ++higher) {
        HOTLANE_CHECK(held_locks[higher] == 0);
    }
    ++held_locks[index];
#endif
}

void pop_rank([[maybe_unused]] LockRank rank) {
#ifndef NDEBUG
    HOTLANE_CHECK(held_locks[static_cast<size_t>(rank)] > 0);
    --held_locks[static_cast<size_t>(rank)];
#endif
}

void Lock::lock_slow() {
    for (int spin = 0; spin < kSpins; ++spin) {
        pause_cpu();
        uint32_t expected = 0;
        if (state_.load(std::memory_order_relaxed) == 0 &&
            state_.compare_exchange_weak(expected, 1, std::memory_order_acquire)) {
            return;
        }
    }
    while (state_.exchange(2, std::memory_order_acquire) != 0) {
        os::wait_on(word(), 2);
    }
}

}  // namespace hotlane
