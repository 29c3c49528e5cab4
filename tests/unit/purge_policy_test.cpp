// SPDX-License-Identifier: MIT
//
// Tests when the fallback's free memory is returned to the kernel. The times are made up.
#include "fallback/purge_policy.h"

#include <gtest/gtest.h>

namespace {

using namespace hotlane::fallback;

constexpr uint64_t kNow = 1'000'000'000'000;

TEST(PurgePolicy, IdleMemoryGoesBackAtOnce) {
    EXPECT_EQ(decide_purge(kNow, kNow - 1, false), PurgeDecision::purge);
}

TEST(PurgePolicy, MemoryInMotionWaits) {
    EXPECT_EQ(decide_purge(kNow, kNow, true), PurgeDecision::wait);
    EXPECT_EQ(decide_purge(kNow, kNow - kForcedPurgeNs + 1, true), PurgeDecision::wait);
}

TEST(PurgePolicy, MotionDoesNotHoldItForEver) {
    EXPECT_EQ(decide_purge(kNow, kNow - kForcedPurgeNs, true), PurgeDecision::purge);
}

}  // namespace
