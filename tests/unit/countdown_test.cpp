// SPDX-License-Identifier: MIT
//
// The countdown of a lane, against a model that counts every pop.
#include "thread_cache/countdown.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace {

using namespace hotlane;

/// As the fast path does it: true when the pop was a hit, false when it gave up.
bool pop(uint64_t& left) { return static_cast<int64_t>(--left) >= 0; }

TEST(Countdown, GivesExactlyTheHitsThatWereWanted) {
    Countdown countdown{};
    uint64_t left = 0;
    countdown.start(left, 3, UINT64_MAX);
    for (int i = 0; i < 3; ++i) {
        EXPECT_TRUE(pop(left));
    }
    EXPECT_FALSE(pop(left));
    Countdown::resolve(left);
    EXPECT_EQ(left, 0U);
    EXPECT_EQ(countdown.hits(left), 3U);
}

TEST(Countdown, StopsAtTheSampleAndKeepsTheRest) {
    Countdown countdown{};
    uint64_t left = 0;
    countdown.start(left, 10, 4);
    EXPECT_EQ(left, 4U);
    EXPECT_EQ(countdown.beyond_sample, 6U);
    countdown.limit(left, 20);  // the sample was taken; the next one is far away
    EXPECT_EQ(left, 10U);
    EXPECT_EQ(countdown.beyond_sample, 0U);
    countdown.limit(left, 2);  // a miss brought the sample nearer
    EXPECT_EQ(left, 2U);
    EXPECT_EQ(countdown.beyond_sample, 8U);
    EXPECT_EQ(countdown.hits(left), 0U);
}

TEST(Countdown, RequestsBelowZeroAreNoHits) {
    Countdown countdown{};
    uint64_t left = 0;
    countdown.start(left, 0, UINT64_MAX);
    // What is due may allocate of the same class before the countdown is resolved.
    for (int i = 0; i < 5; ++i) {
        EXPECT_FALSE(pop(left));
        EXPECT_EQ(countdown.hits(left), 0U);
    }
    Countdown::resolve(left);
    EXPECT_EQ(left, 0U);
    EXPECT_EQ(countdown.hits(left), 0U);
    countdown.start(left, 1, UINT64_MAX);
    EXPECT_TRUE(pop(left));
    Countdown::resolve(left);
    EXPECT_EQ(countdown.hits(left), 1U);
}

TEST(Countdown, HitsAreExactInAnyOrderOfCalls) {
    std::mt19937_64 random(7);
    for (int round = 0; round < 200; ++round) {
        Countdown countdown{};
        uint64_t left = 0;
        uint64_t hits = 0;
        for (int step = 0; step < 2'000; ++step) {
            const uint64_t number = random();
            switch (number % 8) {
            case 0:
                countdown.start(left, (number >> 8) % 1'025, (number >> 24) % 2'000);
                EXPECT_LE(left, 1'024U);
                break;
            case 1:
                countdown.limit(left, (number >> 8) % 2'000);
                break;
            case 2:
                countdown.count_hit();
                ++hits;
                break;
            default:
                if (pop(left)) {
                    ++hits;
                } else {
                    Countdown::resolve(left);
                    EXPECT_EQ(left, 0U);
                }
            }
            ASSERT_EQ(countdown.hits(left), hits) << "step " << step;
        }
    }
}

}  // namespace
