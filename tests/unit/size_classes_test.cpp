// SPDX-License-Identifier: MIT
//
// Tests tables of size classes, the two regular ones and listed ones: every size, every alignment, and every
// offset of every span.
#include "page_heap/region.h"
#include "page_heap/size_classes.h"
#include "random_classes.h"

#include <gtest/gtest.h>

namespace {

using namespace hotlane;

ClassTable regular(ClassChoice choice) { return {.choice = choice}; }

class EveryTable : public testing::TestWithParam<ClassTable> {
  protected:
    const SizeClasses table = build_size_classes(GetParam());
    bool is_listed() const { return GetParam().choice == ClassChoice::listed; }
};

INSTANTIATE_TEST_SUITE_P(
    Tables, EveryTable,
    testing::Values(regular(ClassChoice::cacheline), regular(ClassChoice::compact), random_classes(1),
                    random_classes(2), random_classes(3), random_classes(4),
                    ClassTable{.choice = ClassChoice::listed, .count = 1, .sizes = {kLargestSmall}}));

TEST_P(EveryTable, ClassesAreSortedAlignedAndEndAtTheLargest) {
    EXPECT_TRUE(table.alignment == 16 || table.alignment == 64);
    if (!is_listed()) {
        EXPECT_EQ(table.alignment, GetParam().choice == ClassChoice::compact ? 16 : 64);
        EXPECT_EQ(table[1].object_size, table.alignment);
    }
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
    if (is_listed()) {
        GTEST_SKIP() << "whoever lists the sizes chooses the waste";
    }
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
                ASSERT_TRUE(is_listed() || n > kLargestSmall || alignment > kRegionPageSize)
                    << n << " at " << alignment;
                continue;
            }
            ASSERT_GE(table[c].object_size, n);
            ASSERT_TRUE(alignment <= table.alignment ||
                        table[c].object_size <= 2 * round_up(std::max(n, alignment), alignment));
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
        EXPECT_LE((bytes - used) * 32, bytes) << table[c].object_size;
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
    select_size_classes(regular(ClassChoice::compact));
    EXPECT_EQ(size_classes.alignment, 16U);
    EXPECT_EQ(size_classes[size_classes.class_of(17)].object_size, 32U);
    select_size_classes({.choice = ClassChoice::listed, .count = 2, .sizes = {192, kLargestSmall}});
    EXPECT_EQ(size_classes.alignment, 64U);
    EXPECT_EQ(size_classes[size_classes.class_of(17)].object_size, 192U);
    EXPECT_EQ(size_classes[size_classes.class_of(193)].object_size, kLargestSmall);
    EXPECT_EQ(size_classes.class_of_aligned(100, 128), kNoClass);  // the only one would be 64 KiB
}

}  // namespace
