// SPDX-License-Identifier: MIT
//
// Tests the histogram of hold times: percentiles of known distributions, and the exact counts beside them.
#include "stats/hold_times.h"

#include <gtest/gtest.h>

namespace hotlane {
namespace {

/// Percentiles are at most an eighth off.
void expect_near(uint64_t value, uint64_t exact) {
    EXPECT_GE(value * 8, exact * 7) << exact;
    EXPECT_LE(value * 8, exact * 9) << exact;
}

PoolStats stats_of(const HoldTimes& times) {
    PoolStats stats;
    times.copy_to(stats);
    return stats;
}

TEST(HoldTimes, OfNothingAreZero) {
    const HoldTimes times{};
    const PoolStats stats = stats_of(times);
    EXPECT_EQ(stats.hold_samples + stats.hold_p50_ns + stats.hold_p99_ns + stats.hold_max_ns, 0U);
}

TEST(HoldTimes, EveryTimeIsAnEighthOffAtMost) {
    for (uint64_t ns = 1; ns < (uint64_t{1} << 35); ns += ns / 7 + 1) {
        HoldTimes times{};
        times.add(ns);
        times.add(UINT64_MAX);
        const PoolStats stats = stats_of(times);
        expect_near(stats.hold_p50_ns, ns);
        EXPECT_EQ(stats.hold_max_ns, UINT64_MAX);
    }
}

TEST(HoldTimes, PercentilesOfAThousand) {
    HoldTimes times{};
    for (uint64_t i = 1; i <= 1000; ++i) {
        times.add(i * 1'000'000);
    }
    const PoolStats stats = stats_of(times);
    EXPECT_EQ(stats.hold_samples, 1000U);
    expect_near(stats.hold_p50_ns, 500'000'000);
    expect_near(stats.hold_p99_ns, 990'000'000);
    EXPECT_EQ(stats.hold_max_ns, 1'000'000'000U);
    EXPECT_EQ(stats.long_holds, 900U);  // more than 100 ms
}

TEST(HoldTimes, APercentileIsNotAboveTheLongest) {
    HoldTimes times{};
    times.add(1025);
    EXPECT_EQ(stats_of(times).hold_p99_ns, 1025U);
}

}  // namespace
}  // namespace hotlane
