// SPDX-License-Identifier: MIT
//
// Tests every tuning function over its whole domain: bounded, monotone, and always making progress.
#include "maintenance/tuning.h"

#include "page_heap/size_classes.h"

#include <gtest/gtest.h>

namespace {

using namespace hotlane;
using namespace hotlane::tuning;

constexpr size_t kBudgets[] = {0, 1, 4 * KiB, 64 * KiB, 256 * KiB, 1 * MiB, 64 * MiB, SIZE_MAX / 2};

TEST(Policy, CapacitiesFitTheLaneAndTheBudget) {
    for (const size_t budget : kBudgets) {
        uint32_t before = kMostSlots;
        for (size_t size = 16; size <= kLargestSmall; size += 16) {
            const uint32_t largest = largest_capacity(size, budget);
            ASSERT_GE(largest, 8U);
            ASSERT_LE(largest, kMostSlots);
            ASSERT_TRUE(largest == 8 || largest * size <= budget) << size << " in " << budget;
            ASSERT_LE(largest, before) << "larger objects, more of them: " << size;
            before = largest;
            const uint32_t first = first_capacity(size, largest);
            ASSERT_GE(first, 2U);
            ASSERT_LE(first, std::min(largest, 32U));
        }
    }
}

TEST(Policy, GrowingReachesTheLargestAndShrinkingTheLeast) {
    for (uint32_t largest = 8; largest <= kMostSlots; ++largest) {
        for (uint32_t capacity = 1; capacity <= kMostSlots; ++capacity) {
            const uint32_t grown = grown_capacity(capacity, largest);
            ASSERT_LE(grown, largest);
            ASSERT_TRUE(grown > capacity || capacity >= largest) << capacity << " of " << largest;
        }
    }
}

/// A thread that needs a power of two of objects gets no more of them.
TEST(Policy, TheFirstRefillsFromSpansDoubleWhatAThreadHas) {
    for (uint32_t first = 1; first <= 16; first *= 2) {
        uint32_t capacity = 2 * first;
        uint64_t taken = refill_from_spans_count(capacity, 0);
        ASSERT_EQ(taken, first);
        for (uint64_t expected = 2 * first; expected <= 64; expected *= 2) {
            capacity = taken > refill_count(capacity) ? grown_capacity(capacity, kMostSlots) : capacity;
            taken += refill_from_spans_count(capacity, taken);
            ASSERT_EQ(taken, expected);
        }
    }
    for (uint32_t n = 1; n <= kMostSlots; ++n) {
        ASSERT_EQ(refill_from_spans_count(n, UINT64_MAX), refill_count(n));
    }
}

TEST(Policy, ARefillLeavesRoomAndAFlushMakesIt) {
    for (uint32_t n = 1; n <= kMostSlots; ++n) {
        ASSERT_GE(refill_count(n), 1U);
        ASSERT_LE(refill_count(n), n);
        ASSERT_LE(refill_count(n) * 2, std::max(n, 2U));
        ASSERT_GE(refill_count(n + 1), refill_count(n));
        ASSERT_EQ(most_from_shelf(n, false), refill_count(n));
        ASSERT_GE(most_from_shelf(n, true), refill_count(n));
        ASSERT_LE(most_from_shelf(n, true), n);
        for (const bool allocates_none : {false, true}) {
            ASSERT_GE(flush_count(n, allocates_none), 1U);
            ASSERT_LE(flush_count(n, allocates_none), n);
            ASSERT_GE(flush_count(n + 1, allocates_none), flush_count(n, allocates_none));
        }
        ASSERT_GE(flush_count(n, true), flush_count(n, false));
    }
}

TEST(Policy, TheShelvesOfAClassHoldAFixedAmountOrAShareOfWhatIsInUse) {
    for (const size_t used : {size_t{0}, 8 * MiB, 1 * GiB}) {
        uint32_t before = UINT32_MAX;
        for (size_t size = 16; size <= kLargestSmall; size += 16) {
            const uint32_t capacity = shelves_capacity(size, used);
            ASSERT_GE(capacity, 16U);
            ASSERT_LE(capacity, before);
            ASSERT_LE(capacity * size, std::max(std::max(256 * KiB, used / 32), 16 * size));
            before = capacity;
            for (const uint32_t shelves : {1U, 2U, 16U}) {
                ASSERT_GE(shelf_share(capacity, shelves), 16U);
                ASSERT_LE(shelf_share(capacity, shelves) * shelves, std::max(capacity, 16 * shelves));
            }
        }
    }
}

TEST(Policy, ReapingTakesOnlyWhatWasNeverNeeded) {
    for (uint32_t least = 0; least < 300; ++least) {
        for (uint32_t held = 0; held < 300; ++held) {
            ASSERT_EQ(reap_count(least, held), least < held ? least : held);
        }
    }
}

TEST(Policy, LooksComeSoonerTheLongerTheLastPopsTook) {
    for (uint64_t pops = 1; pops <= 1 << 16; ++pops) {
        uint64_t before = UINT64_MAX;
        for (const uint64_t elapsed :
             {0UL, 3'999'999UL, 4'000'000UL, 16'000'000UL, 16'000'001UL, 1UL << 40}) {
            const uint64_t next = next_poll(pops, elapsed);
            ASSERT_GE(next, 1U);
            ASSERT_LE(next, std::max<uint64_t>(pops * 2, 1));
            ASSERT_TRUE(elapsed == 4'000'000 || next <= before) << pops << " in " << elapsed;
            before = next;
        }
    }
    // The interval of a busy thread converges to the maximum; that of a quiet one to a single pop.
    uint64_t pops = 1;
    for (int look = 0; look < 64; ++look) {
        pops = next_poll(pops, 0);
    }
    EXPECT_EQ(next_poll(pops, 0), pops);
    for (int look = 0; look < 64; ++look) {
        pops = next_poll(pops, 1'000'000'000);
    }
    EXPECT_EQ(pops, 1U);
}

TEST(Policy, ALatePartOfAPassPurgesMore) {
    const uint64_t pause = pause_before_rest(125'000'000);
    EXPECT_EQ(most_to_purge(0, pause), 6 * MiB);
    EXPECT_EQ(most_to_purge(pause, pause), 12 * MiB);
    EXPECT_GE(most_to_purge(46'000'000, pause), 64 * MiB)
        << "a request each 50 ms returns a gibibyte in 0.8 s";
    EXPECT_GE(most_to_purge(UINT64_MAX, pause_before_rest(1)), 1 * GiB);
}

TEST(Policy, A2MibPageIsSplitWhenThreeQuartersAreFreeAndAnEighthLonger) {
    constexpr uint32_t kPages = 32;
    for (uint32_t free_pages = 0; free_pages <= kPages; ++free_pages) {
        EXPECT_EQ(worth_splitting(free_pages, kPages), free_pages >= 24) << free_pages;
    }
    EXPECT_EQ(splitting_age(0), 0U);
    EXPECT_EQ(splitting_age(9), 10U);
    EXPECT_EQ(splitting_age(80), 90U);
}

TEST(Policy, AFlushComesBeforeAShareOfGrowth) {
    constexpr size_t kLeast = 1 * MiB / kRegionPageSize;
    EXPECT_FALSE(flush_before_growth(kLeast - 1, 0));
    EXPECT_TRUE(flush_before_growth(kLeast, 0));
    EXPECT_TRUE(flush_before_growth(kLeast, 32 * kLeast));
    EXPECT_FALSE(flush_before_growth(2 * kLeast - 1, 64 * kLeast));
    EXPECT_TRUE(flush_before_growth(2 * kLeast, 64 * kLeast));
}

}  // namespace
