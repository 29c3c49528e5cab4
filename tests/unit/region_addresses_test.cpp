// SPDX-License-Identifier: MIT
//
// Tests where the region lies, how it grows in place, and how its end is given back.
#include "region_fixture.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <vector>

namespace {

using namespace hotlane;
using fake_os::Call;

class RegionAddressesTest : public RegionFixture {};

TEST_F(RegionAddressesTest, LittleIsReservedAndTheRestWhenItIsNeeded) {
    const size_t before = fake_os::reserved_bytes();
    ASSERT_TRUE(set_up(512 * GiB));
    take(1);
    EXPECT_LE(fake_os::reserved_bytes() - before, 2 * MiB);
    for (size_t pages = 1; pages < 256 * MiB / kRegionPageSize; pages += 32) {
        take(32);
        const size_t used = (pages + 32) * kRegionPageSize;
        EXPECT_LE(fake_os::reserved_bytes() - before, 2 * used + 4 * MiB);
    }
}

TEST_F(RegionAddressesTest, WhatIsToBeReservedAtOnceIsOrHalfOfItWhereItIsRefused) {
    const size_t before = fake_os::reserved_bytes();
    ASSERT_TRUE(region->set_up(
        {.largest_bytes = 4 * GiB, .reserve_bytes = 1 * GiB, .span_metadata_bytes = kMetadataBytes}));
    EXPECT_EQ(region->stats().reserved_bytes, 1 * GiB);
    region = std::make_unique<Region>();
    fake_os::limit_addresses(before + 1 * GiB + 300 * MiB);
    ASSERT_TRUE(region->set_up(
        {.largest_bytes = 4 * GiB, .reserve_bytes = 1 * GiB, .span_metadata_bytes = kMetadataBytes}));
    EXPECT_EQ(region->stats().reserved_bytes, 256 * MiB);
}

TEST_F(RegionAddressesTest, WhereNoPlaceCanBeChosenItReservesHalfOfWhatTheSystemGrants) {
    fake_os::ignore_places(true);
    const size_t before = fake_os::reserved_bytes();
    fake_os::limit_addresses(before + 1 * GiB);
    ASSERT_TRUE(set_up(512 * GiB));
    const size_t granted = region->stats().reserved_bytes;
    EXPECT_GE(granted, 128 * MiB);
    EXPECT_LE(granted, 512 * MiB) << "the program needs addresses too";
    EXPECT_LE(fake_os::reserved_bytes() - before, granted + granted / 16 + RegionView::kClassTableOffset);
    EXPECT_NE(region->take_thread_memory(128 * KiB), nullptr);
    for (uint32_t page = 0; page < granted / kRegionPageSize; page += 64) {
        ASSERT_EQ(take(64), page);
    }
    EXPECT_EQ(refused(1), RegionFailure::no_region);
}

TEST_F(RegionAddressesTest, OnEveryPageSizeTheTablesGrowInWholePages) {
    constexpr uint32_t kSections = 10;  // an OS page of 64 KiB has the class entries of eight
    for (const bool ignored : {false, true}) {
        for (const size_t page_size : {4 * KiB, 16 * KiB, 64 * KiB}) {
            fake_os::set_page_size(page_size);
            fake_os::ignore_places(ignored);
            region = std::make_unique<Region>();
            ASSERT_TRUE(set_up(4 * GiB));
            void* const memory = region->take_thread_memory(70 * KiB);
            ASSERT_NE(memory, nullptr);
            // Where places are ignored, the real kernel chooses one, and its pages may be smaller.
            EXPECT_TRUE(ignored || address_of(memory) % page_size == 0);
            const uint32_t pages = kSections * Region::kSectionPages;
            for (uint32_t page = 0; page < pages; page += 64) {
                ASSERT_EQ(take(64), page) << page_size;
                region->set_class_entry({page}, 64, 1);
            }
        }
    }
}

TEST_F(RegionAddressesTest, ItGrowsUntilSomethingElseLiesThereAndNeverClaimsThat) {
    ASSERT_TRUE(set_up(4 * GiB));
    take(1);
    auto* behind = static_cast<char*>(region->address({192}));
    void* other = mmap(behind, os::page_size(), PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT_EQ(other, behind);
    uint32_t pages = 1;
    PageRun run{};
    RegionFailure why{};
    while (region->take(1, PageUse::any, true, {&run, 1}, &why) != 0) {
        ++pages;
    }
    EXPECT_EQ(why, RegionFailure::no_region);
    EXPECT_EQ(pages, 192U) << "every page up to the other's";
    EXPECT_TRUE(region_view.contains(behind - 1) && !region_view.contains(behind));
    const uint64_t calls = fake_os::calls(Call::reserve);
    EXPECT_EQ(refused(1), RegionFailure::no_region);
    EXPECT_EQ(fake_os::calls(Call::reserve), calls) << "it is not asked for again";
    region->put_back({7}, 1, 0);
    EXPECT_EQ(take(1), 7U);
    munmap(other, os::page_size());
}

TEST_F(RegionAddressesTest, AFreeEndGoesBackAndComesAgain) {
    const size_t before = fake_os::reserved_bytes();
    ASSERT_TRUE(set_up(1 * GiB));
    take(1);
    const size_t small = fake_os::reserved_bytes() - before;
    region->forget_surplus();
    std::vector<uint32_t> runs;
    for (int i = 0; i < 100; ++i) {
        runs.push_back(take(64));
    }
    EXPECT_TRUE(region->has_surplus()) << "addresses were taken, perhaps more than were needed";
    word_of(80) = word_of(6000) = 7;
    for (const uint32_t first : runs) {
        region->put_back({first}, 64, 0);
    }
    region->give_back_end();
    EXPECT_TRUE(region_view.contains(region->address({63})));
    EXPECT_FALSE(region_view.contains(region->address({6000})));
    EXPECT_LE(fake_os::reserved_bytes() - before, small + 1 * MiB);
    EXPECT_EQ(region->stats().free_dirty_bytes, 63 * kRegionPageSize)
        << "what was reserved from the start stays";
    for (int i = 0; i < 90; ++i) {
        bool fresh = false;
        const uint32_t first = take(64, &fresh);
        EXPECT_TRUE(fresh && first >= 64 && word_of(first) == 0);
    }
}

}  // namespace
