// SPDX-License-Identifier: MIT
//
// A lock of one word that needs no initialisation, and the order in which locks are taken.
// Knows nothing of what it protects.
// Used by depot, region, thread cache registry, observe; fork takes all of them in rank order.
#pragma once

#include "base/base.h"
#include "platform/os.h"
#include "sync/critical_section.h"

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
    region,
    metadata,
    thread_end,
    last
};

/// In debug builds: stops the process when ranks are taken out of order. Several of one rank may be held
/// at once by fork (caches, depots, shards of the profile, in list, class and shard order) and by a reclaim
/// (caches, in list order): both hold the lock of the list, and an owner takes no cache's lock but its own.
void lock_rank_push(LockRank rank);
void lock_rank_pop(LockRank rank);

/// Mutual exclusion by futex: 0 free, 1 held, 2 held and somebody sleeps (Drepper, "Futexes Are Tricky",
/// 2011). Spins briefly first: everything under our locks is shorter than going to sleep. Not recursive.
class Lock {
  public:
    constexpr explicit Lock(LockRank rank) : rank_{rank} {}
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;

    void lock() {
        enter_critical_section();
        lock_rank_push(rank_);
        uint32_t expected = 0;
        // Acquire, here and wherever the lock is taken: pairs with the release of unlock().
        if (!state_.compare_exchange_strong(expected, 1, std::memory_order_acquire)) [[unlikely]] {
            lock_slow();
        }
    }
    bool try_lock() {
        enter_critical_section();
        uint32_t expected = 0;
        if (!state_.compare_exchange_strong(expected, 1, std::memory_order_acquire)) {
            leave_critical_section();
            return false;
        }
        lock_rank_push(rank_);
        return true;
    }
    void unlock() {
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
