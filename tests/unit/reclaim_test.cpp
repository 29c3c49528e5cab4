// SPDX-License-Identifier: MIT
//
// Tests reclaiming from another thread's cache, step by step: what the owner may do in between, and how a
// pending reclaim is resolved.
#include "accounted_threads.h"
#include "thread_cache/reclaim.h"
#include "thread_cache/reclaim_protocol.h"

#include <algorithm>
#include <numeric>
#include <pthread.h>
#include <thread>
#include <vector>

namespace {

using namespace hotlane;

using ReclaimTest = AccountedThreads;

/// What the owner does between the two steps of a reclaim. The barrier's hook triggers it.
struct Between {
    std::atomic<int> stage{0};
    int pops = 0;
    int pushes = 0;
};
Between between;

void let_the_owner_move() {
    between.stage = 2;
    while (between.stage == 2) {
        std::this_thread::yield();
    }
}

TEST_F(ReclaimTest, WhateverTheOwnerDoesBetweenTheTwoStepsOfAReclaim) {
    uint64_t gets = 0;
    for (int pops = 0; pops <= 6; ++pops) {
        for (int pushes = 0; pushes <= 8; ++pushes) {
            between.stage = 0;
            between.pops = pops;
            between.pushes = pushes;
            std::thread owner([&gets] {
                std::vector<void*> live;
                const auto pop = [&] {
                    live.push_back(get(64));
                    ++gets;
                    EXPECT_NE(stamp_of(live.back()).exchange(1), 1U) << "handed out twice";
                };
                const auto push = [&] {
                    stamp_of(live.back()) = kFree;
                    put(live.back());
                    live.pop_back();
                };
                while (live.size() < 20) {
                    pop();
                }
                while (live.size() > 10) {
                    push();
                }
                between.stage = 1;
                while (between.stage != 2) {
                    std::this_thread::yield();
                }
                // At most up to the emptied slot. Beyond it the slow path would wait for the reclaim.
                for (int i = 0; i < std::min(between.pops, 2); ++i) {
                    pop();
                }
                for (int i = 0; i < between.pushes; ++i) {
                    push();
                }
                between.stage = 3;
                while (between.stage != 4) {
                    std::this_thread::yield();
                }
                for (int i = 2; i < between.pops; ++i) {
                    pop();
                }
                check_lanes(*thread_cache.block);
                while (live.size() < 30) {
                    pop();
                }
                while (!live.empty()) {
                    push();
                }
            });
            while (between.stage != 1) {
                std::this_thread::yield();
            }
            fake_os::after_barrier(let_the_owner_move);
            reclaim_caches(true);
            fake_os::after_barrier(nullptr);
            between.stage = 4;
            owner.join();
        }
    }
    expect_all_accounted_for(gets);
}

/// A lane whose owner acts between the two reads of the judgement.
struct ActingLane {
    mutable uint64_t top;
    mutable void* object;
    uint64_t top_between;  // what top is after the owner acted
    void* object_between;
    mutable int reads = 0;

    void act() const {
        if (reads++ == 0) {
            top = top_between;
            object = object_between;
        }
    }
    uint64_t load_top() const {
        const uint64_t seen = top;
        act();
        return seen;
    }
    void* load_slot(uint64_t) const {
        void* const seen = object;
        act();
        return seen;
    }
};

TEST(Judgement, AnObjectPoppedBetweenTheTwoReadsIsNotOurs) {
    // The owner was popping the object in slot 12. It completes the pop and pushes two others.
    int other = 0;
    const ActingLane lane{.top = 12, .object = nullptr, .top_between = 11, .object_between = &other};
    EXPECT_NE(reclaim::judge(lane, 12), reclaim::Verdict::ours);
}

TEST(Judgement, TheObjectIsOursExactlyWhileTopIsBeforeIt) {
    int other = 0;
    const auto judged = [](uint64_t top, void* object) {
        return reclaim::judge(ActingLane{top, object, top, object}, 12);
    };
    EXPECT_EQ(judged(10, nullptr), reclaim::Verdict::ours);
    EXPECT_EQ(judged(11, nullptr), reclaim::Verdict::ours);
    EXPECT_EQ(judged(12, nullptr), reclaim::Verdict::undecided) << "its pop may be under way";
    EXPECT_EQ(judged(13, nullptr), reclaim::Verdict::undecided);
    EXPECT_EQ(judged(10, &other), reclaim::Verdict::popped);
    EXPECT_EQ(judged(12, &other), reclaim::Verdict::popped);
}

/// Sleeping threads, each with objects in its cache.
class Sleepers {
  public:
    explicit Sleepers(int count) {
        for (int i = 0; i < count; ++i) {
            threads_.emplace_back([this] {
                std::vector<void*> objects(10);
                std::generate(objects.begin(), objects.end(), [] { return get(64); });
                std::for_each(objects.begin(), objects.end(), put);
                ++ready_;
                ready_.notify_all();
                done_.wait(false);
                EXPECT_EQ(thread_cache.block->level(1), 2U);
            });
        }
        for (int ready = 0; (ready = ready_) != count;) {
            ready_.wait(ready);
        }
    }
    ~Sleepers() {
        done_ = true;
        done_.notify_all();
        std::for_each(threads_.begin(), threads_.end(), [](std::thread& thread) { thread.join(); });
    }

  private:
    std::vector<std::thread> threads_;
    std::atomic<int> ready_{0};
    std::atomic<bool> done_{false};
};

std::atomic<int> barriers;

TEST_F(ReclaimTest, OneBarrierServesManyThreads) {
    constexpr int kSleepers = 100;
    {
        const Sleepers sleepers(kSleepers);
        barriers = 0;
        fake_os::after_barrier([] { ++barriers; });
        reclaim_caches(true);
        EXPECT_EQ(barriers, 2) << "64 threads each";
        reclaim_caches(true);
        EXPECT_EQ(barriers, 2) << "there is nothing to take any more";
        fake_os::after_barrier(nullptr);
    }
    expect_all_accounted_for(uint64_t{10} * kSleepers);
}

TEST_F(ReclaimTest, AnObjectLeftUndecidedSurvivesAnotherReclaim) {
    constexpr int kObjects = 10;
    std::atomic<int> stage{0};
    std::thread owner([&stage] {
        std::vector<void*> objects(kObjects);
        std::generate(objects.begin(), objects.end(), [] { return get(64); });
        std::for_each(objects.begin(), objects.end(), put);
        stage = 1;
        stage.notify_all();
        stage.wait(1);
        std::generate(objects.begin(), objects.end(), [] { return get(64); });
        EXPECT_EQ(std::count(objects.begin(), objects.end(), nullptr), 0) << "an object was lost";
        objects.erase(std::remove(objects.begin(), objects.end(), nullptr), objects.end());
        std::for_each(objects.begin(), objects.end(), put);
    });
    stage.wait(0);
    fake_os::fail_barriers(true);  // without the barrier, the owner of an object is unknown
    reclaim_caches(true);
    reclaim_caches(true);
    fake_os::fail_barriers(false);
    stage = 2;
    stage.notify_all();
    owner.join();
    expect_all_accounted_for(uint64_t{2} * kObjects);
}

TEST_F(ReclaimTest, WhatReclaimLeftUndecidedIsSettledByWhereTheOwnerIs) {
    // The state after a reclaim that took an object while its owner was popping it: `taken` was in `slot`.
    std::vector<void*> objects;
    for (int i = 0; i < 8; ++i) {
        objects.push_back(get(64));
    }
    for (void* p : objects) {
        put(p);
    }
    ThreadBlock& block = *thread_cache.block;
    ClassRecord& record = block.record(1);
    void** const slot = block.top(1) + 2;
    void*& place = *slot;
    void* const taken = place;

    record.pending_reclaim = taken;
    record.pending_reclaim_slot = slot;
    place = nullptr;
    block.resolve_pending_reclaim(1);
    EXPECT_EQ(place, taken) << "the owner never got it";
    EXPECT_EQ(record.pending_reclaim, nullptr);

    void* const other = objects.front();
    record.pending_reclaim = taken;
    place = other;
    block.resolve_pending_reclaim(1);
    EXPECT_EQ(place, other) << "the owner had popped it, and pushed another since";
    EXPECT_EQ(record.pending_reclaim, nullptr);
    place = taken;

    record.pending_reclaim = taken;
    place = nullptr;
    block.set_top(1, slot + 1);
    block.resolve_pending_reclaim(1);
    EXPECT_EQ(place, nullptr) << "the owner had popped it";
    EXPECT_EQ(record.pending_reclaim, nullptr);
    place = taken;
    block.set_top(1, slot - 2);
    flush_this_thread();
    expect_all_accounted_for(8);
}

/// Sleeping threads on the smallest stacks, each with free objects of some sizes in its cache.
class SleepingThreads {
  public:
    SleepingThreads(size_t count, std::vector<size_t> sizes, int objects_of_size)
        : threads_(count), sizes_(std::move(sizes)), objects_of_size_(objects_of_size) {
        pthread_attr_t small;
        pthread_attr_init(&small);
        pthread_attr_setstacksize(&small, 128 * KiB);
        for (pthread_t& thread : threads_) {
            EXPECT_EQ(pthread_create(&thread, &small, sleep, this), 0);
        }
        pthread_attr_destroy(&small);
        while (asleep_ != count) {
            std::this_thread::yield();
        }
    }
    ~SleepingThreads() {
        wake_ = true;
        wake_.notify_all();
        for (const pthread_t thread : threads_) {
            pthread_join(thread, nullptr);
        }
    }
    SleepingThreads(const SleepingThreads&) = delete;
    SleepingThreads& operator=(const SleepingThreads&) = delete;

  private:
    static void* sleep(void* self) {
        auto& all = *static_cast<SleepingThreads*>(self);
        for (const size_t size : all.sizes_) {
            std::vector<void*> objects;
            for (int i = 0; i < all.objects_of_size_; ++i) {
                objects.push_back(get(size));
            }
            std::for_each(objects.begin(), objects.end(), put);
        }
        ++all.asleep_;
        all.wake_.wait(false);
        thread_registry::detach();
        return nullptr;
    }

    std::vector<pthread_t> threads_;
    std::vector<size_t> sizes_;
    int objects_of_size_;
    std::atomic<size_t> asleep_{0};
    std::atomic<bool> wake_{false};
};

TEST_F(ReclaimTest, ACallVisitsABoundedNumberOfThreadsAndTheNextOnesGoOn) {
    constexpr size_t kThreads = 3000;
    constexpr size_t kMostVisits =
        reclaim::kMostInCall / (2 * reclaim::kLook) + 1;  // a thread, and its class
    {
        const SleepingThreads threads(kThreads, {64}, 8);
        const auto flushes = [] { return counts().classes[size_classes.class_of(64)].flushes; };
        const uint64_t before_all = flushes();
        // Each thread is visited twice before it counts as idle. Blocks of earlier tests may lie in between.
        constexpr size_t kMostCalls = 4 * (kThreads / kMostVisits + 1);
        uint64_t reclaimed = 0;
        size_t calls = 0;
        for (; reclaimed != kThreads && calls != kMostCalls; ++calls) {
            const uint64_t so_far = flushes();
            EXPECT_FALSE(reclaim_caches(false)) << "six objects of a thread are no reason to hurry";
            EXPECT_LE(flushes() - so_far, kMostVisits);
            reclaimed = flushes() - before_all;
        }
        EXPECT_EQ(reclaimed, kThreads);
        EXPECT_GT(calls, kThreads / kMostVisits);
    }
    expect_all_accounted_for(kThreads * 8);
}

TEST_F(ReclaimTest, ACallMovesABoundedNumberOfObjectsAndSaysThatThereAreMore) {
    constexpr size_t kThreads = 100;
    const std::vector<size_t> sizes = {64, 128, 192, 256};
    constexpr int kObjects = 200;
    const auto moved = [&sizes] {
        const Snapshot snapshot = counts();
        return std::accumulate(sizes.begin(), sizes.end(), uint64_t{0}, [&](uint64_t sum, size_t size) {
            return sum + snapshot.classes[size_classes.class_of(size)].discards;
        });
    };
    {
        const SleepingThreads threads(kThreads, sizes, kObjects);
        const uint64_t before_all = moved();
        int unfinished = 0;
        for (int calls = 0; calls != 12; ++calls) {
            const uint64_t so_far = moved();
            const bool has_more = reclaim_caches(false);
            EXPECT_LE(moved() - so_far, reclaim::kMostInCall + sizes.size() * kObjects);
            EXPECT_TRUE(!has_more || moved() - so_far >= reclaim::kMostInCall / 2);
            unfinished += has_more ? 1 : 0;
        }
        const uint64_t all = kThreads * sizes.size() * kObjects;
        EXPECT_GT(moved() - before_all, all / 2) << "caches hold most of what their threads freed";
        EXPECT_GE(unfinished, static_cast<int>((moved() - before_all) / reclaim::kMostInCall));
    }
    expect_all_accounted_for(kThreads * sizes.size() * kObjects);
}

}  // namespace
