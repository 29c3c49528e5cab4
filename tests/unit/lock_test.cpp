// SPDX-License-Identifier: MIT
//
// Tests the lock: mutual exclusion, wake-up of all waiters, and the order of ranks.
#include "sync/lock.h"

#include <gtest/gtest.h>
#include <thread>
#include <vector>

namespace {

using namespace hotlane;

TEST(Lock, OneThreadAtATime) {
    constexpr int kThreads = 8;
    constexpr int kRounds = 20'000;
    Lock lock{LockRank::depot};
    uint64_t counter = 0;  // plain: a second thread inside would lose counts
    std::atomic<int> inside{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < kRounds; ++i) {
                LockGuard guard(lock);
                ASSERT_EQ(inside.fetch_add(1), 0);
                ++counter;
                inside.fetch_sub(1);
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(counter, uint64_t{kThreads} * kRounds);
}

TEST(Lock, SleepersWakeUp) {
    Lock lock{LockRank::depot};
    std::atomic<int> done{0};
    lock.lock();
    std::vector<std::thread> sleepers;
    for (int t = 0; t < 4; ++t) {
        sleepers.emplace_back([&] {
            LockGuard guard(lock);
            ++done;
        });
    }
    os::sleep_ns(20'000'000);  // much longer than the spinning
    EXPECT_EQ(done, 0);
    lock.unlock();
    for (std::thread& sleeper : sleepers) {
        sleeper.join();
    }
    EXPECT_EQ(done, 4);
}

TEST(Lock, TryingDoesNotWait) {
    Lock lock{LockRank::depot};
    ASSERT_TRUE(lock.try_lock());
    std::thread([&] { EXPECT_FALSE(lock.try_lock()); }).join();
    lock.unlock();
    std::thread([&] {
        EXPECT_TRUE(lock.try_lock());
        lock.unlock();
    }).join();
}

TEST(Lock, HundredsOfOneRankAsForkHolds) {
    constexpr int kLocks = 600;
    std::vector<Lock*> locks;
    for (int i = 0; i < kLocks; ++i) {
        locks.push_back(new Lock(LockRank::cache));
        locks.back()->lock();
    }
    for (Lock* lock : locks) {
        lock->unlock();
        delete lock;
    }
    Lock outer{LockRank::thread_registry};
    LockGuard guard(outer);  // in order: no lock of a higher rank is held
}

#ifndef NDEBUG
TEST(LockDeathTest, TakingALowerRankStopsTheProcess) {
    Lock region{LockRank::region};
    Lock depot{LockRank::depot};
    EXPECT_DEATH(
        {
            region.lock();
            depot.lock();
        },
        "check failed");
}

TEST(LockDeathTest, ReleasingWhatIsNotHeldStopsTheProcess) {
    Lock lock{LockRank::region};
    EXPECT_DEATH(lock.unlock(), "check failed");
}
#endif

}  // namespace
