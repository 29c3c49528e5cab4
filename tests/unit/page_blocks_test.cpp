// SPDX-License-Identifier: MIT
//
// Tests the blocks that are pages of the region: sizes, places, contents, and the pages that come back.
#include "fallback/page_blocks.h"

#include "page_heap/region.h"

#include <cstring>
#include <gtest/gtest.h>

namespace {

using namespace hotlane;

class PageBlocks : public testing::Test {
  protected:
    static void SetUpTestSuite() {
        ASSERT_TRUE(region.set_up({.span_metadata_bytes = 64, .huge_from_bytes = SIZE_MAX}));
    }
    ~PageBlocks() override { EXPECT_EQ(page_blocks::live_bytes(), 0U); }
};

TEST_F(PageBlocks, WhatTheyAreNotForIsRefused) {
    EXPECT_EQ(page_blocks::take(kLargestSmall, 16, false), nullptr);
    EXPECT_EQ(page_blocks::take(MiB, 2 * Region::kMostBlockAlignment, false), nullptr);
    EXPECT_EQ(page_blocks::take(SIZE_MAX, 16, false), nullptr);
    EXPECT_EQ(page_blocks::take(SIZE_MAX - kRegionPageSize, 16, false), nullptr);
    const size_t committed = region.stats().committed_bytes;
    EXPECT_EQ(page_blocks::take(600 * GiB, 16, false), nullptr) << "more than a region can have";
    EXPECT_EQ(region.stats().committed_bytes, committed);
}

TEST_F(PageBlocks, TheyHaveAsManyPagesAsTheyNeed) {
    void* block = page_blocks::take(kLargestSmall + 1, 16, false);
    ASSERT_NE(block, nullptr);
    EXPECT_EQ(address_of(block) % kRegionPageSize, 0U);
    const size_t usable = page_blocks::usable_size(block);
    EXPECT_EQ(usable, kLargestSmall + kRegionPageSize);
    EXPECT_EQ(usable, page_blocks::live_bytes());
    memset(block, 0xa5, usable);
    for (const size_t inside : {size_t{64}, kRegionPageSize}) {
        EXPECT_EQ(page_blocks::usable_size(static_cast<char*>(block) + inside), 0U);
        EXPECT_FALSE(page_blocks::put_back(static_cast<char*>(block) + inside));
    }
    EXPECT_TRUE(page_blocks::put_back(block));

    void* aligned = page_blocks::take(MiB, Region::kMostBlockAlignment, false);
    EXPECT_EQ(address_of(aligned) % Region::kMostBlockAlignment, 0U);
    EXPECT_TRUE(page_blocks::put_back(aligned));
}

TEST_F(PageBlocks, FreedPagesAreTheRegionsAndAreClearedForTheNext) {
    void* block = page_blocks::take(100'000, 16, false);
    const size_t usable = page_blocks::usable_size(block);
    memset(block, 0xa5, usable);
    const size_t free_before = region.stats().free_dirty_bytes;
    EXPECT_TRUE(page_blocks::put_back(block));
    EXPECT_FALSE(page_blocks::put_back(block)) << "its pages may be another block's now";
    EXPECT_EQ(page_blocks::usable_size(block), 0U);
    EXPECT_EQ(region.stats().free_dirty_bytes, free_before + usable);
    auto* zeroed = static_cast<unsigned char*>(page_blocks::take(100'000, 16, true));
    ASSERT_EQ(zeroed, block);
    for (size_t i = 0; i < 100'000; ++i) {
        ASSERT_EQ(zeroed[i], 0) << i;
    }
    EXPECT_TRUE(page_blocks::put_back(zeroed));
}

TEST_F(PageBlocks, TheyChangeTheirSizeInPlaceIfThePagesBehindAreFree) {
    void* block = page_blocks::take(40 * kRegionPageSize, 16, false);
    EXPECT_TRUE(page_blocks::resize(block, 10 * kRegionPageSize));
    EXPECT_EQ(page_blocks::usable_size(block), 10 * kRegionPageSize);
    EXPECT_EQ(page_blocks::live_bytes(), 10 * kRegionPageSize);
    void* behind = page_blocks::take(20 * kRegionPageSize, 16, false);
    ASSERT_EQ(behind, static_cast<char*>(block) + 10 * kRegionPageSize) << "these pages came back";
    EXPECT_FALSE(page_blocks::resize(block, 11 * kRegionPageSize));
    EXPECT_FALSE(page_blocks::resize(block, SIZE_MAX));
    EXPECT_EQ(page_blocks::usable_size(block), 10 * kRegionPageSize);
    EXPECT_TRUE(page_blocks::resize(block, 10 * kRegionPageSize - 1));
    EXPECT_TRUE(page_blocks::put_back(behind));
    EXPECT_TRUE(page_blocks::resize(block, 11 * kRegionPageSize));
    EXPECT_EQ(page_blocks::usable_size(block), 11 * kRegionPageSize);
    EXPECT_TRUE(page_blocks::put_back(block));
}

// The last test of the file.
TEST_F(PageBlocks, ThereAreNoneOnceTheyAreTurnedOff) {
    void* block = page_blocks::take(MiB, 16, false);
    page_blocks::turn_off();
    EXPECT_EQ(page_blocks::take(MiB, 16, false), nullptr);
    EXPECT_TRUE(page_blocks::put_back(block));
}

}  // namespace
