// SPDX-License-Identifier: MIT
//
// Taking from another thread's cache, step by step: what its owner may do in between, and how it is settled.
// Knows nothing of the fallback.
// Run by meson.
#include "accounted_threads.h"

#include <algorithm>
#include <thread>

namespace {

using namespace hotlane;

using ReclaimTest = AccountedThreads;

/// What the owner does between the two steps of a reclaim, told to it from the barrier.
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
                // At most to the slot that was emptied: beyond it the slow path would wait for the reclaim.
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
            threads::reclaim(true);
            fake_os::after_barrier(nullptr);
            between.stage = 4;
            owner.join();
        }
    }
    expect_all_accounted_for(gets);
}

TEST_F(ReclaimTest, WhatReclaimLeftUndecidedIsSettledByWhereTheOwnerIs) {
    // As after a reclaim that took an object while its owner was popping it: `taken` lay at `index`.
    std::vector<void*> objects;
    for (int i = 0; i < 8; ++i) {
        objects.push_back(get(64));
    }
    for (void* p : objects) {
        put(p);
    }
    ThreadBlock& block = *thread_cache.block;
    ClassRecord& record = block.record(1);
    const uint64_t index = block.top(1) + 2;
    void*& place = *slot(region_view.base, index);
    void* const taken = place;

    record.limbo = taken;
    record.limbo_index = index;
    place = nullptr;
    block.settle_limbo(1);
    EXPECT_EQ(place, taken) << "the owner never got it";
    EXPECT_EQ(record.limbo, nullptr);

    void* const other = objects.front();
    record.limbo = taken;
    place = other;
    block.settle_limbo(1);
    EXPECT_EQ(place, other) << "the owner had popped it, and pushed another since";
    EXPECT_EQ(record.limbo, nullptr);
    place = taken;

    record.limbo = taken;
    place = nullptr;
    block.set_top(1, index + 1);
    block.settle_limbo(1);
    EXPECT_EQ(place, nullptr) << "the owner had popped it";
    EXPECT_EQ(record.limbo, nullptr);
    place = taken;
    block.set_top(1, index - 2);
    flush_this_thread();
    expect_all_accounted_for(8);
}

}  // namespace
