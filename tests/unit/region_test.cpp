// SPDX-License-Identifier: MIT
//
// Tests the region call by call, also when the system refuses.
#include "region_fixture.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <set>

namespace {

using namespace hotlane;
using fake_os::Call;

class RegionTest : public RegionFixture {};

TEST_F(RegionTest, LowestAddressFirstAndNeighboursMerge) {
    ASSERT_TRUE(set_up(64 * MiB));
    EXPECT_EQ(take(3), 0U);
    EXPECT_EQ(take(2), 3U);
    EXPECT_EQ(take(4), 5U);
    region->put_back({3}, 2, 0);
    region->put_back({0}, 3, 0);
    EXPECT_EQ(take(5), 0U) << "two runs side by side serve as one";
    region->put_back({0}, 5, 0);
    EXPECT_EQ(take(6), 9U) << "too long for the hole";
    EXPECT_EQ(take(1), 0U);
    EXPECT_EQ(take(4), 1U);
}

TEST_F(RegionTest, PagesThatHoldMemoryComeFirst) {
    ASSERT_TRUE(set_up(64 * MiB));
    take(12);
    region->put_back({2}, 2, 0);
    region->purge(9, 4);
    region->put_back({6}, 3, 9);
    bool fresh = true;
    EXPECT_EQ(take(2, &fresh), 6U) << "not the lowest ones, which were purged";
    EXPECT_FALSE(fresh);
    EXPECT_EQ(take(2, &fresh), 2U) << "one page is too short";
    EXPECT_TRUE(fresh);
    EXPECT_EQ(take(1), 8U);
}

TEST_F(RegionTest, SeveralRunsAreTakenAtOnce) {
    ASSERT_TRUE(set_up(64 * MiB, 10 * kRegionPageSize));
    PageRun runs[4];
    RegionFailure why{};
    EXPECT_EQ(region->take(3, PageUse::small_objects, true, runs, &why), 3U) << "the limit allows no more";
    EXPECT_EQ(why, RegionFailure::none);
    for (uint32_t i = 0; i < 3; ++i) {
        EXPECT_EQ(runs[i].first.value, 3 * i);
        EXPECT_TRUE(runs[i].fresh);
    }
    EXPECT_EQ(region->take(3, PageUse::small_objects, true, runs, &why), 0U);
    EXPECT_EQ(why, RegionFailure::limit);
}

TEST_F(RegionTest, MoreRunsAreTakenOnlyIfTheyHoldMemory) {
    ASSERT_TRUE(set_up(64 * MiB));
    take(20);
    region->put_back({1}, 5, 0);
    region->put_back({8}, 3, 0);
    PageRun runs[2];
    PageRun further[8];
    const auto take_with_more = [&] {
        RegionFailure why{};
        MoreRuns more{.runs = further};
        EXPECT_EQ(region->take(2, PageUse::small_objects, true, {runs, 1}, &why, &more), 1U);
        return more.taken;
    };
    EXPECT_EQ(take_with_more(), 2U);
    EXPECT_EQ(runs[0].first.value, 1U);
    EXPECT_EQ(further[0].first.value, 3U);
    EXPECT_EQ(further[1].first.value, 8U) << "page 5 is alone, and so is page 10";
    EXPECT_EQ(region->stats().free_dirty_bytes, 2 * kRegionPageSize);
    EXPECT_EQ(take_with_more(), 0U) << "a fresh run brings no more";
    EXPECT_TRUE(runs[0].fresh);
    region->put_back({6}, 2, 0);
    EXPECT_EQ(take(3), 5U) << "a section that had no such run has one since its neighbours came back";
}

TEST_F(RegionTest, AFreshRunBringsMoreFreshOnesIfTheyAreWanted) {
    constexpr uint32_t kFlush = 1 * MiB / kRegionPageSize;
    ASSERT_TRUE(set_up(64 * MiB));
    PageRun run{};
    PageRun further[8];
    RegionFailure why{};
    MoreRuns more{.runs = further, .most_fresh = 3};
    EXPECT_EQ(region->take(2, PageUse::small_objects, true, {&run, 1}, &why, &more), 1U);
    ASSERT_EQ(more.taken, 3U);
    for (uint32_t i = 0; i < 3; ++i) {
        EXPECT_EQ(further[i].first.value, 2 * i + 2);
        EXPECT_TRUE(further[i].fresh);
    }
    const PageIndex unused[] = {further[0].first, further[2].first};
    region->put_back_unused(unused, 2);
    EXPECT_EQ(region->stats().free_dirty_bytes, 0U) << "nobody has used them";
    EXPECT_EQ(region->stats().in_use_bytes, 4 * kRegionPageSize);
    bool fresh = false;
    EXPECT_EQ(take(2, &fresh), 2U);
    EXPECT_TRUE(fresh);
    EXPECT_EQ(take(1), 6U);
    take(kFlush);
    more = {.runs = further, .most_fresh = 3};
    EXPECT_EQ(region->take(1, PageUse::small_objects, true, {&run, 1}, &why, &more), 1U);
    EXPECT_EQ(more.taken, 0U) << "a flush before growth is due";
}

TEST_F(RegionTest, ARunThatComesBackIsFoundHoweverLongTheSearchFoundNone) {
    ASSERT_TRUE(set_up(512 * MiB));
    for (uint32_t page = 0; page < Region::kSectionPages; page += 16) {
        ASSERT_EQ(take(16), page);
    }
    for (uint32_t pages = 1; pages <= Region::kLongestRun; ++pages) {
        EXPECT_FALSE(region->may_have_dirty_run(1));
        const uint32_t at = 3000 - 7 * pages;
        region->put_back({at}, pages, 0);
        EXPECT_TRUE(region->may_have_dirty_run(pages));
        EXPECT_FALSE(region->may_have_dirty_run(pages + 1));
        EXPECT_EQ(take(pages), at);
        const uint32_t new_page = take(1);
        EXPECT_GE(new_page, Region::kSectionPages) << "no page holds memory, and so says the search";
    }
}

TEST_F(RegionTest, ARunThatNeighboursMadeLongerIsFoundBeforeLowerPagesWithoutMemory) {
    ASSERT_TRUE(set_up(64 * MiB));
    take(30);
    region->put_back({1}, 8, 0);
    region->purge(9, 4);
    region->put_back({12}, 2, 9);
    region->put_back({20}, 2, 9);
    EXPECT_EQ(take(3), 1U);
    region->put_back({14}, 2, 9);
    bool fresh = true;
    EXPECT_EQ(take(4, &fresh), 12U);
    EXPECT_FALSE(fresh);
}

TEST_F(RegionTest, WhileAFlushIsDueOnlyPagesThatHoldMemoryAreTakenWithoutLeaveToGrow) {
    constexpr uint32_t kPages = 1 * MiB / kRegionPageSize;
    ASSERT_TRUE(set_up(64 * MiB));
    take(kPages);
    region->put_back({0}, kPages, 0);
    region->purge(9, 4);
    take(kPages);
    region->put_back({0}, 1, 9);
    region->put_back({4}, 4, 9);
    region->purge(18, 9);
    region->put_back({2}, 1, 18);
    PageRun run{};
    RegionFailure why{};
    EXPECT_EQ(region->take(1, PageUse::small_objects, false, {&run, 1}, &why), 1U);
    EXPECT_EQ(run.first.value, 2U);
    EXPECT_EQ(region->take(1, PageUse::small_objects, false, {&run, 1}, &why), 0U);
    EXPECT_EQ(why, RegionFailure::would_grow);
    EXPECT_TRUE(region->growth_calls_for_flush());
    EXPECT_FALSE(region->growth_calls_for_flush());
    EXPECT_EQ(region->take(1, PageUse::small_objects, false, {&run, 1}, &why), 1U);
    EXPECT_EQ(run.first.value, 0U);
    take(kPages);
    region->forget_growth();
    EXPECT_FALSE(region->growth_calls_for_flush());
}

TEST_F(RegionTest, RunsDoNotCrossSectionsAndTheRestOfASectionIsUsed) {
    ASSERT_TRUE(set_up(512 * MiB));
    for (uint32_t page = 0; page < Region::kSectionPages - 16; page += 16) {
        ASSERT_EQ(take(16), page);
    }
    EXPECT_EQ(take(20), Region::kSectionPages);
    EXPECT_EQ(take(16), Region::kSectionPages - 16);
}

TEST_F(RegionTest, WhatComesBackToALowerSectionIsTheNext) {
    ASSERT_TRUE(set_up(512 * MiB));
    for (uint32_t page = 0; page < Region::kSectionPages + 16; page += 16) {
        ASSERT_EQ(take(16), page);
    }
    region->put_back({Region::kSectionPages}, 16, 0);
    EXPECT_EQ(take(8), Region::kSectionPages) << "the search has passed the first section";
    region->put_back({16}, 16, 0);
    EXPECT_EQ(take(8), 16U);
    region->purge(9, 4);
    take(8);  // the rest of them
    region->put_back({Region::kSectionPages}, 8, 9);
    region->purge(18, 4);
    EXPECT_EQ(take(8), Region::kSectionPages) << "without memory, too";
    region->put_back({32}, 16, 18);
    region->purge(27, 4);
    EXPECT_EQ(take(8), 32U);
}

TEST_F(RegionTest, TheLimitCountsPagesInUse) {
    ASSERT_TRUE(set_up(64 * MiB, 10 * kRegionPageSize));
    take(6);
    EXPECT_EQ(refused(5), RegionFailure::limit);
    take(4);
    EXPECT_EQ(refused(1), RegionFailure::limit);
    region->put_back({0}, 6, 0);
    EXPECT_EQ(take(5), 0U);
}

TEST_F(RegionTest, AFullRegionSaysSoAndGoesOnWhenPagesComeBack) {
    ASSERT_TRUE(set_up(64 * kRegionPageSize));
    for (uint32_t page = 0; page < 64; page += 4) {
        ASSERT_EQ(take(4), page);
    }
    EXPECT_EQ(refused(1), RegionFailure::no_region);
    region->put_back({8}, 4, 0);
    EXPECT_EQ(refused(5), RegionFailure::no_region);
    EXPECT_EQ(take(4), 8U);
}

TEST_F(RegionTest, CommittingTakesFewCallsAndSurvivesRefusals) {
    ASSERT_TRUE(set_up(1 * GiB));
    const uint64_t before = fake_os::calls(Call::commit);
    for (uint32_t page = 0; page < 1 * GiB / kRegionPageSize; page += 64) {
        ASSERT_EQ(take(64), page);
    }
    EXPECT_LE(fake_os::calls(Call::commit) - before, 72U);
}

TEST_F(RegionTest, WhereAGenerousStepIsRefusedTheLeastIsTried) {
    ASSERT_TRUE(set_up(64 * MiB));
    take(1);  // the first step of 64 pages, and the tables
    for (uint32_t page = 1; page < 64; ++page) {
        take(1);
    }
    fake_os::fail_nth(Call::commit, 1);
    EXPECT_EQ(take(1), 64U);
    fake_os::fail_always(Call::commit, true);
    EXPECT_EQ(refused(1), RegionFailure::no_region);
    fake_os::fail_always(Call::commit, false);
    EXPECT_EQ(take(1), 65U);
}

TEST_F(RegionTest, EveryAddressLimitEitherServesOrSaysNo) {
    for (size_t limit = 1 * MiB; limit <= 64 * GiB; limit += limit / 3) {
        region = std::make_unique<Region>();
        region_view.page_limit = 0;
        const size_t before = fake_os::reserved_bytes();
        fake_os::limit_addresses(before + limit);
        if (set_up(512 * GiB)) {
            if (limit >= 4 * MiB) {
                EXPECT_EQ(take(1), 0U);
                EXPECT_NE(region->take_thread_memory(128 * KiB), nullptr);
            }
        } else {
            EXPECT_EQ(refused(1), RegionFailure::no_region);
            EXPECT_EQ(fake_os::reserved_bytes(), before);
        }
    }
}

TEST_F(RegionTest, ARegionThatCannotBeSetUpTouchesNothingAfterwards) {
    const size_t before = fake_os::reserved_bytes();
    fake_os::limit_addresses(before);
    EXPECT_FALSE(set_up(1 * GiB));
    EXPECT_EQ(fake_os::reserved_bytes(), before);
    fake_os::limit_addresses(SIZE_MAX);
    const uint64_t commits = fake_os::calls(Call::commit);
    EXPECT_EQ(region->take_thread_memory(128 * KiB), nullptr);
    EXPECT_EQ(refused(1), RegionFailure::no_region);
    EXPECT_EQ(fake_os::calls(Call::commit), commits) << "the addresses may be somebody else's by now";
}

TEST_F(RegionTest, ThreadMemoryIsZeroAlignedAndApart) {
    ASSERT_TRUE(set_up(64 * MiB));
    std::set<void*> blocks;
    for (int i = 0; i < 4; ++i) {
        auto* memory = static_cast<char*>(region->take_thread_memory(100 * KiB + 8));
        ASSERT_NE(memory, nullptr);
        EXPECT_EQ((region_view.base - address_of(memory)) % (2 * KiB), 0U);
        EXPECT_TRUE(std::all_of(memory, memory + 100 * KiB + 8, [](char byte) { return byte == 0; }));
        std::fill_n(memory, 100 * KiB + 8, 'x');
        blocks.insert(memory);
    }
    EXPECT_EQ(blocks.size(), 4U);
    fake_os::fail_nth(Call::commit, 1);
    EXPECT_EQ(region->take_thread_memory(100 * KiB), nullptr);
    EXPECT_NE(region->take_thread_memory(100 * KiB), nullptr);
}

TEST_F(RegionTest, TheViewTellsPagesFromEverythingElse) {
    ASSERT_TRUE(set_up(64 * MiB));
    take(2);
    auto* start = static_cast<char*>(region->address({0}));
    EXPECT_EQ(region_view.page_of(start), 0U);
    EXPECT_EQ(region_view.page_of(start + kRegionPageSize - 16), 0U);
    EXPECT_EQ(region_view.page_of(start + kRegionPageSize), 1U);
    for (size_t offset = 0; offset < 64; ++offset) {
        EXPECT_EQ(region_view.page_of(start + offset) < region_view.page_limit, offset % 16 == 0);
    }
    EXPECT_GE(region_view.page_of(nullptr), region_view.page_limit);
    EXPECT_GE(region_view.page_of(start - 16), region_view.page_limit);
    EXPECT_GE(region_view.page_of(start + 64 * MiB), region_view.page_limit);
    EXPECT_FALSE(region_view.contains(start - 1));
    EXPECT_TRUE(region_view.contains(start + 1));
    EXPECT_FALSE(region_view.contains(start + 64 * MiB));
}

TEST_F(RegionTest, PurgesWhatIsOldEnoughInFewCalls) {
    ASSERT_TRUE(set_up(64 * MiB));
    take(20);
    for (uint32_t page = 0; page < 20; ++page) {
        word_of(page) = 1;
    }
    region->put_back({0}, 5, 10);
    region->put_back({5}, 5, 11);
    region->put_back({12}, 3, 10);
    EXPECT_EQ(region->purge(13, 4), 0U);
    EXPECT_EQ(region->purge(14, 4), 8 * kRegionPageSize);
    ASSERT_EQ(fake_os::purged_runs().size(), 2U);
    EXPECT_EQ(fake_os::purged_runs()[0].address, address_of(region->address({0})));
    EXPECT_EQ(fake_os::purged_runs()[0].bytes, 5 * kRegionPageSize);
    EXPECT_EQ(region->stats().free_dirty_bytes, 5 * kRegionPageSize);
    EXPECT_EQ(region->purge(14, 0), 5 * kRegionPageSize);
    EXPECT_FALSE(region->has_free_dirty_pages());
    bool fresh = false;
    take(10, &fresh);
    EXPECT_TRUE(fresh);
    EXPECT_EQ(word_of(0), 0U);
    EXPECT_EQ(word_of(7), 0U);
}

TEST_F(RegionTest, APurgeOfSomeStopsAtItsLimitAndTheNextOneGoesOn) {
    constexpr uint32_t kHuge = kHugePageSize / kRegionPageSize;
    constexpr uint32_t kPages = 32 * kHuge;  // 64 MiB: a whole section
    ASSERT_TRUE(set_up(192 * MiB));
    for (uint32_t page = 0; page < 2 * kPages; page += Region::kLongestRun) {
        ASSERT_EQ(take(Region::kLongestRun), page);
    }
    region->put_back({1}, kPages - 1, 0);
    region->put_back({kPages}, kPages, 0);
    EXPECT_TRUE(region->purge_some(9, 4, 3 * MiB));
    ASSERT_EQ(fake_os::purged_runs().size(), 1U);
    EXPECT_EQ(fake_os::purged_runs()[0].bytes, 4 * MiB) << "whole pages of 2 MiB";
    EXPECT_TRUE(region->purge_some(9, 4, 62 * MiB));
    EXPECT_EQ(region->stats().free_dirty_bytes, (128 - 4 - 62) * MiB)
        << "the rest of the first section, and 2 MiB of the next";
    region->put_back({0}, 1, 0);
    const size_t runs = fake_os::purged_runs().size();
    EXPECT_TRUE(region->purge_some(9, 4, 1 * MiB));
    EXPECT_EQ(fake_os::purged_runs().size(), runs + 1) << "page 0 has to wait for its turn";
    EXPECT_EQ(fake_os::purged_runs().back().address, address_of(region->address({kPages + kHuge})));
    EXPECT_FALSE(region->purge_some(9, 10, 1 * MiB)) << "what is left is too young";
    EXPECT_FALSE(region->purge_some(9, 4, SIZE_MAX));
    EXPECT_FALSE(region->has_free_dirty_pages());
}

TEST_F(RegionTest, ManySmallPurgesCountByTheirCalls) {
    ASSERT_TRUE(set_up(64 * MiB));
    constexpr uint32_t kPages = 100;
    ASSERT_EQ(take(Region::kLongestRun), 0U);
    ASSERT_EQ(take(kPages - Region::kLongestRun), Region::kLongestRun);
    for (uint32_t page = 0; page < kPages; page += 2) {
        region->put_back({page}, 1, 0);
    }
    EXPECT_TRUE(region->purge_some(9, 4, 10 * (kRegionPageSize + Region::kPurgeCallBytes)));
    EXPECT_EQ(fake_os::purged_runs().size(), 10U);
}

TEST_F(RegionTest, OfManyRunsOnlyTheOneThatTheKernelRefusesStaysDirty) {
    constexpr uint32_t kPages = 3 * Region::kLongestRun;
    constexpr uint64_t kRefused = 20;
    ASSERT_TRUE(set_up(64 * MiB));
    for (uint32_t page = 0; page < kPages; page += Region::kLongestRun) {
        ASSERT_EQ(take(Region::kLongestRun), page);
    }
    for (uint32_t page = 0; page < kPages; page += 4) {
        region->put_back({page}, 2, 0);
    }
    fake_os::fail_nth(Call::purge, kRefused);
    EXPECT_EQ(region->purge(9, 4), size_t{kPages / 4 - 1} * 2 * kRegionPageSize);
    EXPECT_EQ(region->stats().free_dirty_bytes, 2 * kRegionPageSize);
    bool fresh = true;
    EXPECT_EQ(take(2, &fresh), (kRefused - 1) * 4);
    EXPECT_FALSE(fresh);
    EXPECT_EQ(take(2, &fresh), 0U);
    EXPECT_TRUE(fresh);
}

TEST_F(RegionTest, OfTheKernelsPagesOnlyWholeOnesArePurged) {
    constexpr size_t kOsPage = 64 * KiB;
    constexpr uint32_t kPages = kOsPage / kRegionPageSize;
    fake_os::set_page_size(kOsPage);
    ASSERT_TRUE(set_up(64 * MiB));
    for (uint32_t page = 0; page < 4 * kPages; ++page) {
        ASSERT_EQ(take(1), page);
        word_of(page) = 1;
    }
    region->put_back({1}, 2 * kPages, 0);  // the end of a page of the kernel, a whole one, and a beginning
    EXPECT_EQ(region->purge(9, 4), kOsPage);
    EXPECT_EQ(fake_os::purged_runs().at(0).address, address_of(region->address({kPages})));
    EXPECT_EQ(word_of(1), 1U);
    EXPECT_EQ(word_of(2 * kPages), 1U);
    region->put_back({0}, 1, 9);
    EXPECT_EQ(region->purge(18, 0), 2 * kOsPage) << "with the one after it, which is empty already";
    EXPECT_EQ(word_of(0), 0U);
    EXPECT_EQ(region->stats().free_dirty_bytes, kRegionPageSize) << "its neighbours are in use";
}

TEST_F(RegionTest, AgeIsReckonedAcrossTheWrapOfTheTickCount) {
    ASSERT_TRUE(set_up(64 * MiB));
    take(4);
    region->put_back({0}, 4, 254);
    EXPECT_EQ(region->purge(1, 4), 0U);
    EXPECT_EQ(region->purge(2, 4), 4 * kRegionPageSize);
}

TEST_F(RegionTest, APurgeThatIsRefusedLosesNothing) {
    ASSERT_TRUE(set_up(64 * MiB));
    take(4);
    word_of(1) = 7;
    region->put_back({0}, 4, 0);
    fake_os::fail_nth(Call::purge, 1);
    EXPECT_EQ(region->purge(9, 4), 0U);
    EXPECT_EQ(region->purge(10, 4), 0U) << "it waits its age again";
    EXPECT_EQ(region->purge(13, 4), 4 * kRegionPageSize);
    region->put_back({take(4)}, 4, 13);
    fake_os::fail_always(Call::purge, true);
    EXPECT_EQ(region->purge(13, 0), 0U);
    bool fresh = true;
    EXPECT_EQ(take(4, &fresh), 0U);
    EXPECT_FALSE(fresh);
}

TEST_F(RegionTest, HugePagesAreReturnedWholeOrNotAtAll) {
    constexpr uint32_t kHuge = kHugePageSize / kRegionPageSize;
    ASSERT_TRUE(set_up(64 * MiB, 0, kHugePageSize));
    for (uint32_t page = 0; page < 4 * kHuge; page += kHuge / 2) {
        EXPECT_EQ(take(kHuge / 2), page);
    }
    region->put_back({1}, kHuge - 2, 0);      // most of the first huge page, which lies below huge_from_bytes
    region->put_back({kHuge}, kHuge + 4, 0);  // all of the second huge page, and a part of the third
    region->purge(9, 4);
    size_t bytes = 0;
    for (const fake_os::PurgedRun& run : fake_os::purged_runs()) {
        bytes += run.bytes;
    }
    EXPECT_EQ(bytes, (kHuge - 2) * kRegionPageSize + kHugePageSize);
    region->purge(9, 0);
    EXPECT_FALSE(region->has_free_dirty_pages());
}

TEST_F(RegionTest, LargeObjectsStayOutOf2MibPagesUnlessTheyHoldMemory) {
    constexpr uint32_t kHuge = kHugePageSize / kRegionPageSize;
    constexpr PageUse kLarge = PageUse::large_objects;
    ASSERT_TRUE(set_up(64 * MiB, 0, kHugePageSize));
    for (uint32_t page = 0; page < kHuge; page += 64) {
        EXPECT_EQ(take(64), page) << "the uses share the first 2 MiB";
    }
    EXPECT_EQ(take(8), kHuge);
    EXPECT_EQ(take(8, nullptr, kLarge), 2 * kHuge);
    EXPECT_EQ(take(8), kHuge + 8);
    region->put_back({kHuge}, 16, 0);
    EXPECT_EQ(take(8, nullptr, kLarge), kHuge) << "these pages hold memory";
    region->purge(9, 0);
    EXPECT_EQ(take(8, nullptr, kLarge), 2 * kHuge + 8) << "and these do not any more";
    EXPECT_EQ(take(kHuge / 2), kHuge + 8);
}

TEST_F(RegionTest, WhereNothingElseIsLeftTheUsesSharePages) {
    constexpr uint32_t kHuge = kHugePageSize / kRegionPageSize;
    ASSERT_TRUE(set_up(2 * kHugePageSize, 0, kHugePageSize));
    EXPECT_EQ(take(1, nullptr, PageUse::large_objects), 0U);
    for (uint32_t page = 1; page < kHuge; ++page) {
        ASSERT_EQ(take(1, nullptr, PageUse::large_objects), page);
    }
    EXPECT_EQ(take(1, nullptr, PageUse::large_objects), kHuge);
    EXPECT_EQ(take(1), kHuge + 1);
}

}  // namespace
