// SPDX-License-Identifier: MIT
//
// The timeline keeps a bounded number of points, which cover the whole run.
#include "profiler/history/timeline.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <vector>

namespace hotlane {

namespace {

std::vector<timeline::Point> points() {
    std::vector<timeline::Point> found;
    timeline::for_each(
        [](const timeline::Point& point, void* context) {
            static_cast<std::vector<timeline::Point>*>(context)->push_back(point);
        },
        &found);
    return found;
}

TEST(Timeline, ALongRunHasAsManyPointsAsAShortOne) {
    constexpr uint64_t kStep = timeline::kFirstIntervalNs;
    constexpr uint64_t kSteps = 50'000;
    uint64_t taken = 0;
    for (uint64_t step = 1; step <= kSteps; ++step) {
        if (timeline::is_due(step * kStep)) {
            // The peak lies in the middle.
            const uint64_t live = step < kSteps / 2 ? step : kSteps - step;
            timeline::add({.at_ns = step * kStep,
                           .live_bytes = live,
                           .resident_bytes = 2 * live,
                           .requests = 3 * step,
                           .misses = step},
                          0);
            ++taken;
        }
        ASSERT_LT(points().size(), timeline::kMostPoints);
    }
    const std::vector<timeline::Point> kept = points();
    EXPECT_GE(kept.size(), timeline::kMostPoints / 2 - 1);
    EXPECT_LT(taken, 10 * timeline::kMostPoints);  // the interval grows
    uint64_t highest = 0;
    for (size_t i = 1; i < kept.size(); ++i) {
        ASSERT_GT(kept[i].at_ns, kept[i - 1].at_ns);
        ASSERT_GT(kept[i].requests, kept[i - 1].requests);
        ASSERT_LE(kept[i].at_ns - kept[i - 1].at_ns, kSteps * kStep / 200);
        highest = std::max(highest, kept[i].live_bytes);
    }
    EXPECT_GE(highest, kSteps / 2 - kSteps / 200);  // halving keeps the highest values
    EXPECT_GE(kept.back().at_ns, kSteps * kStep * 99 / 100);

    // A clock that goes back adds nothing.
    timeline::add({.at_ns = 1, .live_bytes = 0, .resident_bytes = 0, .requests = 0, .misses = 0}, 0);
    EXPECT_EQ(points().size(), kept.size());

    // A point that takes long puts the next one off.
    constexpr uint64_t kEnd = kSteps * kStep;
    constexpr uint64_t kCost = 10'000'000'000;
    timeline::add({.at_ns = kEnd + 1, .live_bytes = 0, .resident_bytes = 0, .requests = 0, .misses = 0},
                  kCost);
    EXPECT_FALSE(timeline::is_due(kEnd + 300 * kCost));
    EXPECT_TRUE(timeline::is_due(kEnd + 401 * kCost));
}

}  // namespace

}  // namespace hotlane
