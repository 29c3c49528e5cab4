// SPDX-License-Identifier: MIT
//
// Tests the page reserves: which runs they keep, and that none is lost.
#include "page_heap/page_reserve.h"

#include "fake_os.h"
#include "fresh_core.h"

#include <gtest/gtest.h>
#include <thread>
#include <vector>

namespace {

using namespace hotlane;

class PageReserveTest : public testing::Test {
  protected:
    void SetUp() override {
        fake_os::reset();
        fresh_depots();
    }
    void TearDown() override { fake_os::reset(); }

    static std::vector<PageIndex> take(uint32_t pages, uint32_t count, uint32_t domain = 0,
                                       PageUse use = PageUse::small_objects) {
        std::vector<PageRun> runs(count);
        RegionFailure why{};
        runs.resize(page_reserves[domain].take(pages, use, true, runs, &why));
        std::vector<PageIndex> first_pages;
        first_pages.reserve(runs.size());
        for (const PageRun& run : runs) {
            first_pages.push_back(run.first);
        }
        return first_pages;
    }
    static size_t free_pages() { return region.stats().free_dirty_bytes / kRegionPageSize; }
    static size_t pages_in_use() { return region.stats().in_use_bytes / kRegionPageSize; }
};

TEST_F(PageReserveTest, WhatCameBackIsTakenAgainWithoutTheRegion) {
    const std::vector<PageIndex> runs = take(2, 4);
    EXPECT_EQ(page_reserves.pages().dirty, 0U) << "new pages are not reserved";
    page_reserves[0].put_back(2, runs, 0);
    EXPECT_EQ(page_reserves[0].pages(), 8U);
    EXPECT_TRUE(region.has_free_dirty_pages());
    EXPECT_EQ(free_pages(), 8U) << "they count as free";
    EXPECT_EQ(pages_in_use(), 0U);
    std::vector<PageIndex> taken;
    {
        LockGuard guard(
            region.lock());  // held by another thread than takes the reserve's, whose rank is lower
        std::thread([&] { taken = take(2, 2); }).join();
    }
    EXPECT_EQ(taken, (std::vector<PageIndex>{runs[3], runs[2]})) << "the newest first";
    EXPECT_EQ(page_reserves[0].pages(), 4U);
}

TEST_F(PageReserveTest, AnotherDomainTakesFromTheRegion) {
    page_reserves[0].put_back(2, take(2, 4), 0);
    EXPECT_EQ(take(2, 1, 1)[0].value, 8U);
    EXPECT_EQ(page_reserves[0].pages(), 8U);
}

TEST_F(PageReserveTest, BeforeTheRegionGrowsRunsOfOtherLengthsServe) {
    const std::vector<PageIndex> runs = take(4, 3);
    page_reserves[0].put_back(4, runs, 0);
    EXPECT_EQ(take(1, 1)[0], runs[0]);
    EXPECT_EQ(free_pages(), 11U);
}

TEST_F(PageReserveTest, RunsThatHoldMemoryComeFromTheRegionSeveralAtOnceTheLowestFirst) {
    const std::vector<PageIndex> runs = take(1, 40);
    region.put_back(runs, 1, 0);
    EXPECT_EQ(take(1, 1)[0], runs[0]);
    EXPECT_EQ(page_reserves[0].pages(), PageReserve::kMostPages / 2);
    EXPECT_EQ(free_pages(), 39U);
    EXPECT_EQ(take(1, 2), (std::vector<PageIndex>{runs[1], runs[2]}));
}

TEST_F(PageReserveTest, FreshRunsAreReservedOnceTheRegionHasGrownEachTimeMore) {
    constexpr uint32_t kFirst = 1 * MiB / kRegionPageSize;
    take(1, kFirst);
    EXPECT_EQ(page_reserves[0].fresh_pages(), 0U) << "a small process reserves none";
    region.forget_growth();
    for (const uint32_t reserved : {0U, 0U, 1U, 0U, 3U, 2U}) {
        take(2, 1);
        EXPECT_EQ(page_reserves[0].fresh_pages(), 2 * reserved);
    }
    EXPECT_EQ(page_reserves[0].pages(), 0U);
    EXPECT_EQ(free_pages(), 0U) << "they hold no memory";
    EXPECT_EQ(pages_in_use(), kFirst + 2 * 6);
    const uint32_t next = take(2, 1)[0].value;
    EXPECT_EQ(take(2, 1)[0].value, next + 2) << "the lowest first";
    page_reserves.give_back();
    EXPECT_TRUE(page_reserves[0].is_empty());
    EXPECT_EQ(free_pages(), 0U);
}

TEST_F(PageReserveTest, FreshRunsServeOnlyTheUseThatTheyWereTakenFor) {
    take(1, 1 * MiB / kRegionPageSize);
    region.forget_growth();
    for (int i = 0; i < 3; ++i) {
        take(2, 1);
    }
    const uint32_t reserved = page_reserves[0].fresh_pages();
    ASSERT_GT(reserved, 0U);
    ASSERT_EQ(take(2, 1, 0, PageUse::large_objects).size(), 1U);
    EXPECT_EQ(page_reserves[0].fresh_pages(), reserved) << "the other use has 2-MiB pages of its own";
    ASSERT_EQ(take(2, 1).size(), 1U);
    EXPECT_EQ(page_reserves[0].fresh_pages(), reserved - 2);
}

TEST_F(PageReserveTest, FreshRunsWaitUntilNoneThatHoldsMemoryIsLeft) {
    constexpr uint32_t kFirst = 1 * MiB / kRegionPageSize;
    const std::vector<PageIndex> first = take(1, kFirst);
    region.forget_growth();
    for (int i = 0; i < 5; ++i) {
        take(1, 1);
    }
    ASSERT_EQ(page_reserves[0].fresh_pages(), 3U);
    region.put_back(std::span(first).first(1), 1, 0);
    EXPECT_EQ(take(1, 1)[0], first[0]) << "the region has one that holds memory";
    page_reserves[0].put_back(1, std::span(first).subspan(8, 1), 0);
    EXPECT_EQ(take(1, 1)[0], first[8]) << "the newest in the reserve holds memory";
    EXPECT_EQ(page_reserves[0].fresh_pages(), 3U);
    EXPECT_EQ(take(1, 2).size(), 2U);
    EXPECT_EQ(page_reserves[0].fresh_pages(), 1U);
    // A full reserve gives the fresh one back first, which is still fresh.
    const std::span all(first);
    page_reserves[0].put_back(1, all.first(PageReserve::kMostPages), 0);
    EXPECT_EQ(page_reserves[0].fresh_pages(), 0U);
    EXPECT_EQ(free_pages(), PageReserve::kMostPages);
}

TEST_F(PageReserveTest, AFullReserveGivesItsOlderHalfBack) {
    constexpr uint32_t kMost = PageReserve::kMostPages;
    const std::vector<PageIndex> runs = take(1, 3 * kMost);
    const std::span all(runs);
    page_reserves[0].put_back(1, all.first(kMost), 0);
    EXPECT_EQ(page_reserves[0].pages(), kMost);
    page_reserves[0].put_back(1, all.subspan(kMost, 1), 0);
    EXPECT_EQ(page_reserves[0].pages(), kMost / 2 + 1);
    page_reserves[0].put_back(1, all.subspan(kMost + 1), 0);
    EXPECT_LE(page_reserves[0].pages(), kMost);
    EXPECT_EQ(free_pages(), 3 * kMost);
    EXPECT_EQ(pages_in_use(), 0U);
    page_reserves.give_back();
    EXPECT_EQ(page_reserves.pages().dirty, 0U);
    EXPECT_EQ(free_pages(), 3 * kMost) << "nothing is lost";
    EXPECT_EQ(take(1, 1)[0], runs[0]);
}

TEST_F(PageReserveTest, GivenBackPagesAreAsOldAsTheLastThatCame) {
    page_reserves[0].put_back(1, take(1, 4), 3);
    page_reserves.give_back();
    EXPECT_EQ(region.purge(10, 8), 0U);
    EXPECT_EQ(region.purge(11, 8), 4 * kRegionPageSize);
    EXPECT_FALSE(region.has_free_dirty_pages());
}

TEST_F(PageReserveTest, LongRunsGoToTheRegion) {
    const std::vector<PageIndex> runs = take(PageReserve::kLongestRun + 1, 1);
    page_reserves[0].put_back(PageReserve::kLongestRun + 1, runs, 0);
    EXPECT_EQ(page_reserves.pages().dirty, 0U);
    EXPECT_EQ(take(1, 1)[0], runs[0]);
}

TEST_F(PageReserveTest, WithALimitThereIsNoReserve) {
    fresh_depots({}, 4 * GiB, 8 * kRegionPageSize);
    page_reserves[0].put_back(1, take(1, 8), 0);
    EXPECT_EQ(page_reserves.pages().dirty, 0U);
    EXPECT_EQ(take(4, 2).size(), 2U) << "all of the limit can be used for runs of another length";
}

TEST_F(PageReserveTest, AFlushOfAllDepotsFindsThePagesOfClosedSpans) {
    std::vector<void*> objects(1000);
    bool zeroed = false;
    RegionFailure why{};
    const uint32_t count = depots[20].refill(objects.data(), 200, true, &zeroed, &why);
    depots[20].put_back(objects.data(), count);
    depots[20].reap(true);
    EXPECT_NE(page_reserves.pages().dirty, 0U);
    EXPECT_EQ(pages_in_use(), 0U);
    EXPECT_EQ(free_pages() * kRegionPageSize,
              region.purge(0, 0) + page_reserves.pages().dirty * kRegionPageSize);
}

}  // namespace
