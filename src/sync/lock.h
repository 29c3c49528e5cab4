// SPDX-License-Identifier: MIT
//
// A lock that needs no initialisation at run time, and the order in which locks are taken.
#pragma once

#include "base/base.h"
#include "platform/os.h"
#include "sync/critical_section.h"
#include "sync/lock_counts.h"

#include <atomic>

namespace hotlane {

/// The lock order, outermost first: a thread may only take a lock of a higher rank than those it holds.
/// fork() takes them in this order (src/README.md).
enum class LockRank : uint8_t {
    fork_handlers,
    reports,
    profile,
    guards,
    pools,
    maintenance,
    thread_registry,
    cache,
    depot,
    spans,
    page_reserves,
    region,
    magazines,
    thread_end,
    last
};

/// Debug builds stop the process if locks are taken out of the order of their ranks. Several locks of one
/// rank may be held at once by fork (caches in list order, depots in class order, shards of the profile in
/// shard order) and by a reclaim (caches in list order). Caches cannot deadlock: both hold the lock of the
/// list, and an owner takes only the lock of its own cache.
void check_rank_and_push(LockRank rank);
void pop_rank(LockRank rank);
// Inlined, so that release builds have no calls that do nothing.
[[gnu::always_inline]] inline void lock_rank_push(LockRank rank) {
    if constexpr (kIsDebugBuild) {
        check_rank_and_push(rank);
    }
}
[[gnu::always_inline]] inline void lock_rank_pop(LockRank rank) {
    if constexpr (kIsDebugBuild) {
        pop_rank(rank);
    }
}

/// A mutex on a futex word: 0 free, 1 held, 2 held and a thread may sleep on it (Drepper, "Futexes Are
/// Tricky", 2011). It spins briefly first, because sleeping takes longer than the work under these locks. Not
/// recursive.
class Lock {
  public:
    constexpr explicit Lock(LockRank rank) : rank_{rank} {}
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;

    void lock() {
        enter_critical_section();
        lock_rank_push(rank_);
        uint32_t expected = 0;
        // Acquire, here and wherever the lock is taken. Pairs with the release in unlock().
        if (!state_.compare_exchange_strong(expected, 1, std::memory_order_acquire)) [[unlikely]] {
            lock_slow();
        }
        lock_counts::begin_hold(this, static_cast<int>(rank_), expected != 0);
    }
    bool try_lock() {
        enter_critical_section();
        uint32_t expected = 0;
        if (!state_.compare_exchange_strong(expected, 1, std::memory_order_acquire)) {
            leave_critical_section();
            return false;
        }
        lock_rank_push(rank_);
        lock_counts::begin_hold(this, static_cast<int>(rank_), false);
        return true;
    }
    void unlock() {
        lock_counts::end_hold(this);
        if (state_.exchange(0, std::memory_order_release) == 2) [[unlikely]] {
            os::wake_one(word());
        }
        lock_rank_pop(rank_);
        leave_critical_section();
    }

  private:
    void lock_slow();
    const uint32_t* word() const { return reinterpret_cast<const uint32_t*>(&state_); }

    std::atomic<uint32_t> state_{0};
    LockRank rank_;
};

class LockGuard {
  public:
    explicit LockGuard(Lock& lock) : lock_{lock} { lock_.lock(); }
    ~LockGuard() { lock_.unlock(); }
    LockGuard(const LockGuard&) = delete;
    LockGuard& operator=(const LockGuard&) = delete;

  private:
    Lock& lock_;
};

}  // namespace hotlane
