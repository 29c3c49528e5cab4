// SPDX-License-Identifier: MIT
//
// Tests both class tables: every size, every alignment, and every offset of every span.
#include "page_heap/size_classes.h"

#include "page_heap/region.h"

#include <gtest/gtest.h>

namespace {

using namespace hotlane;

class EveryTable : public testing::TestWithParam<ClassChoice> {
  protected:
    const SizeClasses table = build_size_classes(GetParam());
};

INSTANTIATE_TEST_SUITE_P(Tables, EveryTable, testing::Values(ClassChoice::cacheline, ClassChoice::compact));

TEST_P(EveryTable, ClassesAreSortedAlignedAndEndAtTheLargest) {
    EXPECT_EQ(table.alignment, GetParam() == ClassChoice::compact ? 16 : 64);
    EXPECT_EQ(table[1].object_size, table.alignment);
    for (ClassIndex c = 2; c < table.count; ++c) {
        EXPECT_GT(table[c].object_size, table[c - 1].object_size);
        EXPECT_EQ(table[c].object_size % table.alignment, 0U);
    }
    EXPECT_EQ(table[table.count - 1].object_size, kLargestSmall);
    EXPECT_LE(table.count, kMaxClasses);
}

TEST_P(EveryTable, EverySizeGetsTheSmallestClassThatHoldsIt) {
    for (size_t n = 0; n <= kLargestSmall; ++n) {
        const ClassIndex c = table.class_of(n);
        ASSERT_GE(c, 1U) << n;
        ASSERT_LT(c, table.count) << n;
        ASSERT_GE(table[c].object_size, n);
        ASSERT_TRUE(c == 1 || table[c - 1].object_size < n) << n;
        ASSERT_GE(n, table.smallest_request(c));
        ASSERT_TRUE(n == 0 || c == table.class_of(n - 1) || n == table.smallest_request(c)) << n;
    }
}

TEST_P(EveryTable, WasteIsBounded) {
    for (size_t n = table.alignment + 1; n <= kLargestSmall; ++n) {
        const size_t size = table[table.class_of(n)].object_size;
        ASSERT_LE(size - n, std::max<size_t>(table.alignment, n / 4)) << n;
    }
}

TEST_P(EveryTable, EveryAlignmentIsHeldByTheChosenClass) {
    for (size_t alignment = 1; alignment <= 4 * kRegionPageSize; alignment *= 2) {
        for (size_t n = 0; n <= kLargestSmall + 1; ++n) {
            const ClassIndex c = table.class_of_aligned(n, alignment);
            if (c == kNoClass) {
                ASSERT_TRUE(n > kLargestSmall || alignment > kRegionPageSize) << n << " at " << alignment;
                continue;
            }
            ASSERT_GE(table[c].object_size, n);
            ASSERT_EQ(table[c].object_size % alignment, 0U);
            for (ClassIndex smaller = table.class_of(n); smaller < c; ++smaller) {
                ASSERT_NE(table[smaller].object_size % alignment, 0U) << n << " at " << alignment;
            }
        }
    }
}

TEST_P(EveryTable, SpansHoldWhatTheySayAndWasteASixteenthAtMost) {
    uint32_t most = 0;
    for (ClassIndex c = 1; c < table.count; ++c) {
        const size_t bytes = table[c].span_pages * kRegionPageSize;
        const size_t used = size_t{table[c].object_count} * table[c].object_size;
        EXPECT_LE(used, bytes);
        EXPECT_LE((bytes - used) * 16, bytes) << table[c].object_size;
        EXPECT_LE(table[c].span_pages, Region::kLongestRun);
        most = std::max(most, table[c].object_count);
    }
    EXPECT_EQ(table.most_objects, most);
}

TEST_P(EveryTable, IndexOfIsExactForEveryByteOfEverySpan) {
    for (ClassIndex c = 1; c < table.count; ++c) {
        const SizeClass& size_class = table[c];
        uint32_t index = 0;
        for (size_t offset = 0, next = size_class.object_size;
             offset < size_class.span_pages * kRegionPageSize; ++offset) {
            if (offset == next) {
                ++index;
                next += size_class.object_size;
            }
            ASSERT_EQ(size_class.index_of(offset), index) << size_class.object_size << " at " << offset;
        }
    }
}

TEST(SizeClasses, SelectingATableReplacesTheOneInForce) {
    EXPECT_EQ(size_classes.alignment, 64U);
    select_size_classes(ClassChoice::compact);
    EXPECT_EQ(size_classes.alignment, 16U);
    EXPECT_EQ(size_classes[size_classes.class_of(17)].object_size, 32U);
}

}  // namespace
