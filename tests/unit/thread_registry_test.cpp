// SPDX-License-Identifier: MIT
//
// Tests what other threads may do to a thread's cache: reclaim from it while the owner runs, and adopt it
// after fork.
#include "accounted_threads.h"

#include <random>
#include <set>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace {

using namespace hotlane;

constexpr size_t kSizes[] = {64, 1024, 3000};

using ThreadsTest = AccountedThreads;

/// A thread that moves its lanes between empty and full, so that a reclaim meets every fill level. At the end
/// the few live objects are freed.
uint64_t hammer(unsigned owner, uint64_t operations) {
    std::mt19937 random(owner);
    std::vector<void*> live;
    uint64_t gets = 0;
    for (uint64_t i = 0; i < operations; ++i) {
        const unsigned goal = random() % 24;
        const size_t n = kSizes[random() % std::size(kSizes)];
        while (live.size() < goal) {
            void* p = get(n);
            ++gets;
            const uint64_t was = stamp_of(p).exchange(owner, std::memory_order_relaxed);
            EXPECT_TRUE(was == 0 || was == kFree) << "held by " << was;
            live.push_back(p);
        }
        while (live.size() > goal) {
            const uint64_t was = stamp_of(live.back()).exchange(kFree, std::memory_order_relaxed);
            EXPECT_EQ(was, owner);
            put(live.back());
            live.pop_back();
        }
    }
    for (void* p : live) {
        stamp_of(p).store(kFree, std::memory_order_relaxed);
        put(p);
    }
    return gets;
}

struct Reclaiming {
    bool everything;
    bool barriers;
};

class UnderReclaim : public ThreadsTest, public testing::WithParamInterface<Reclaiming> {};

INSTANTIATE_TEST_SUITE_P(Ways, UnderReclaim,
                         testing::Values(Reclaiming{true, true}, Reclaiming{false, true},
                                         Reclaiming{true, false}));

TEST_P(UnderReclaim, NothingIsLostDoubledOrMiscounted) {
    constexpr unsigned kOwners = 3;
    constexpr uint64_t kOperations = 150'000;
    fake_os::fail_barriers(!GetParam().barriers);
    std::atomic<unsigned> running{kOwners};
    std::atomic<uint64_t> gets{0};
    std::vector<std::thread> owners;
    for (unsigned owner = 1; owner <= kOwners; ++owner) {
        owners.emplace_back([owner, &gets, &running] {
            gets += hammer(owner, kOperations);
            --running;
        });
    }
    uint64_t rounds = 0;
    for (; running != 0; ++rounds) {
        reclaim_caches(GetParam().everything);
        for (const size_t n : kSizes) {
            depots[size_classes.class_of(n)].reap(rounds % 4 == 0);
        }
        counts();
    }
    for (std::thread& owner : owners) {
        owner.join();
    }
    EXPECT_GT(rounds, 10U);
    expect_all_accounted_for(gets);
}

TEST_F(ThreadsTest, SleepingThreadsKeepTwoObjectsAClass) {
    std::atomic<int> stage{0};
    std::thread sleeper([&] {
        std::vector<void*> objects;
        for (int i = 0; i < 40; ++i) {
            objects.push_back(get(64));
        }
        for (void* p : objects) {
            put(p);
        }
        stage = 1;
        while (stage == 1) {
            std::this_thread::yield();
        }
        EXPECT_EQ(thread_cache.block->level(1), 2U);
        check_lanes(*thread_cache.block);
        std::set<void*> again;
        for (int i = 0; i < 40; ++i) {
            again.insert(get(64));
        }
        EXPECT_EQ(again.size(), 40U);
        for (void* p : again) {
            put(p);
        }
    });
    while (stage == 0) {
        std::this_thread::yield();
    }
    reclaim_caches(false);  // sees the class for the first time
    reclaim_caches(false);
    stage = 2;
    sleeper.join();
    expect_all_accounted_for(80);
}

TEST_F(ThreadsTest, AClassInUseIsLeftAlone) {
    std::atomic<int> stage{0};
    std::thread user([&] {
        std::vector<void*> objects;
        for (int i = 0; i < 20; ++i) {
            objects.push_back(get(64));
        }
        for (void* p : objects) {
            put(p);
        }
        const uint32_t level = thread_cache.block->level(1);
        for (int round = 1; round <= 8; ++round) {
            put(get(64));
            stage = 2 * round - 1;
            while (stage == 2 * round - 1) {
                std::this_thread::yield();
            }
        }
        EXPECT_EQ(thread_cache.block->level(1), level);
    });
    for (int round = 1; round <= 8; ++round) {
        while (stage != 2 * round - 1) {
            std::this_thread::yield();
        }
        reclaim_caches(false);
        stage = 2 * round;
    }
    user.join();
    expect_all_accounted_for(28);
}

TEST_F(ThreadsTest, ThreadsThatComeAndGoWhileOthersReclaim) {
    std::atomic<bool> done{false};
    std::atomic<uint64_t> gets{0};
    std::thread reclaimer([&] {
        while (!done) {
            reclaim_caches(true);
            counts();
        }
    });
    for (int round = 0; round < 150; ++round) {
        std::thread first([&, round] { gets += hammer(2 * static_cast<unsigned>(round) + 1, 60); });
        std::thread second([&, round] { gets += hammer(2 * static_cast<unsigned>(round) + 2, 60); });
        first.join();
        second.join();
    }
    done = true;
    reclaimer.join();
    expect_all_accounted_for(gets);
}

#ifndef __SANITIZE_THREAD__
TEST_F(ThreadsTest, AForkedChildOwnsWhatTheThreadsItLostHadCached) {
    // Threads are stopped at any instruction. The child loses what they hold live, but nothing else.
    for (int turn = 0; turn < 40; ++turn) {
        std::atomic<bool> stop{false};
        std::vector<std::thread> owners;
        for (unsigned owner = 1; owner <= 3; ++owner) {
            owners.emplace_back([&stop, owner] {
                while (!stop) {
                    hammer(owner, 50);
                }
            });
        }
        os::sleep_ns(500'000);
        thread_registry::lock_all();
        Depot::lock_all();
        region.lock().lock();
        magazines::lock_all();
        const pid_t child = fork();
        magazines::unlock_all();
        region.lock().unlock();
        Depot::unlock_all();
        thread_registry::unlock_all();
        if (child == 0) {
            thread_registry::adopt_all_in_child();
            const Snapshot now = counts();
            // Three threads have at most 24 live objects each, and each may be handling one more. For the
            // child, up to 8 newest frees of each class have not happened.
            bool good =
                now.allocations() - now.frees() <= 3 * (25 + 8 * std::size(kSizes)) && now.threads_live <= 1;
            std::set<void*> objects;
            for (int i = 0; good && i < 3'000; ++i) {
                void* p = get(kSizes[static_cast<size_t>(i) % std::size(kSizes)]);
                good = p != nullptr && objects.insert(p).second;
                const uint64_t was = stamp_of(p).load(std::memory_order_relaxed);
                good = good && (was == 0 || was == kFree);
            }
            _exit(good ? 0 : 1);
        }
        int status = 0;
        ASSERT_EQ(waitpid(child, &status, 0), child);
        EXPECT_EQ(status, 0) << "turn " << turn;
        stop = true;
        for (std::thread& owner : owners) {
            owner.join();
        }
    }
    thread_registry::detach();
    for (ClassIndex c = 1; c < size_classes.count; ++c) {
        depots[c].reap(true);
        EXPECT_EQ(depots[c].stats().spans, 0U);
    }
}
#endif

}  // namespace
