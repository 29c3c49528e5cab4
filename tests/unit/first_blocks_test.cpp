// SPDX-License-Identifier: MIT
//
// Tests the blocks that are served before jemalloc starts. The tests share the blocks of the process, so they are
// steps of one test.
#include "fallback/first_blocks.h"

#include "page_heap/region.h"

#include <cstring>
#include <gtest/gtest.h>
#include <iterator>

namespace {

using namespace hotlane;
using first_blocks::kLargest;

TEST(FirstBlocks, AreFewOfAFewSizesAndGiveTheirPagesBack) {
    ASSERT_TRUE(region.set_up({.span_metadata_bytes = 64, .huge_from_bytes = SIZE_MAX}));
    EXPECT_EQ(first_blocks::take(kLargest + 1, 16, false), nullptr);
    EXPECT_EQ(first_blocks::take(kLargestSmall, 16, false), nullptr);
    EXPECT_EQ(first_blocks::take(kLargest, 2 * kRegionPageSize, false), nullptr);
    EXPECT_EQ(first_blocks::live_bytes(), 0U);

    void* first = first_blocks::take(kLargestSmall + 1, 16, false);
    ASSERT_NE(first, nullptr);
    EXPECT_EQ(address_of(first) % kRegionPageSize, 0U);
    const size_t usable = first_blocks::usable_size(first);
    EXPECT_GT(usable, kLargestSmall);
    EXPECT_EQ(usable, first_blocks::live_bytes());
    memset(first, 0xa5, usable);
    EXPECT_EQ(first_blocks::usable_size(static_cast<char*>(first) + 64), 0U);
    EXPECT_FALSE(first_blocks::put_back(static_cast<char*>(first) + 64));

    const size_t free_before = region.stats().free_dirty_bytes;
    EXPECT_TRUE(first_blocks::put_back(first));
    EXPECT_FALSE(first_blocks::put_back(first)) << "its pages may be another block's now";
    EXPECT_EQ(first_blocks::live_bytes(), 0U);
    EXPECT_GE(region.stats().free_dirty_bytes, free_before + usable);

    // The same pages, which are not zero any more.
    auto* zeroed = static_cast<unsigned char*>(first_blocks::take(kLargestSmall + 1, kRegionPageSize, true));
    ASSERT_EQ(zeroed, first);
    for (size_t i = 0; i < usable; ++i) {
        ASSERT_EQ(zeroed[i], 0) << i;
    }

    void* others[first_blocks::kCount - 2];
    for (void*& other : others) {
        other = first_blocks::take(kLargest, 16, false);
        EXPECT_NE(other, nullptr);
    }
    EXPECT_EQ(first_blocks::take(kLargest, 16, false), nullptr) << "there are so many in a process";
    EXPECT_EQ(first_blocks::live_bytes(), usable + std::size(others) * kLargest);
    EXPECT_TRUE(first_blocks::put_back(others[0]));
    EXPECT_EQ(first_blocks::take(kLargest, 16, false), nullptr) << "also when one of them was freed";
    for (size_t i = 1; i != std::size(others); ++i) {
        EXPECT_TRUE(first_blocks::put_back(others[i]));
    }
    EXPECT_TRUE(first_blocks::put_back(zeroed));
}

}  // namespace
