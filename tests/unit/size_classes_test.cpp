// SPDX-License-Identifier: MIT
//
// Tests tables of size classes, the two regular ones and listed ones: every size, every alignment, and every
// offset of every span.
#include "page_heap/region.h"
#include "page_heap/size_classes.h"
#include "random_classes.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <numeric>
#include <random>
#include <vector>

namespace {

using namespace hotlane;

ClassTable regular(ClassChoice choice) { return {.choice = choice}; }

class EveryTable : public testing::TestWithParam<ClassTable> {
  protected:
    const SizeClasses table = build_size_classes(GetParam());
    bool is_listed() const { return GetParam().choice == ClassChoice::listed; }
    bool changes() const { return GetParam().choice == ClassChoice::automatic; }  // see AutomaticTable
};

INSTANTIATE_TEST_SUITE_P(
    Tables, EveryTable,
    testing::Values(regular(ClassChoice::cacheline), regular(ClassChoice::compact),
                    regular(ClassChoice::automatic), random_classes(1), random_classes(2), random_classes(3),
                    random_classes(4),
                    ClassTable{.choice = ClassChoice::listed, .count = 1, .sizes = {kLargestSmall}}));

TEST_P(EveryTable, ClassesAreSortedAlignedAndEndAtTheLargest) {
    EXPECT_TRUE(table.alignment == 16 || table.alignment == 64);
    if (!is_listed()) {
        EXPECT_EQ(table.alignment, GetParam().choice == ClassChoice::cacheline ? 64 : 16);
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
    if (changes()) {
        GTEST_SKIP() << "not before its change";
    }
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
    if (is_listed() || changes()) {
        GTEST_SKIP() << "whoever lists the sizes chooses the waste";
    }
    for (size_t n = table.alignment + 1; n <= kLargestSmall; ++n) {
        const size_t size = table[table.class_of(n)].object_size;
        ASSERT_LE(size - n, std::max<size_t>(table.alignment, n / 4)) << n;
    }
}

TEST_P(EveryTable, EveryAlignmentIsHeldByTheChosenClass) {
    for (size_t alignment = 1; alignment <= 4 * kRegionPageSize; alignment *= 2) {
        const auto holds = [&](ClassIndex c) {
            size_t bits = table[c].object_size;
            for (uint32_t page = 0; page < 64; ++page) {
                bits |= page * kRegionPageSize + table[c].first_object_at(page);
            }
            return bits % alignment == 0;
        };
        std::vector<bool> held(table.count);
        for (ClassIndex c = 1; c < table.count; ++c) {
            held[c] = holds(c);
        }
        for (size_t n = 0; n <= kLargestSmall + 1; ++n) {
            const ClassIndex c = table.class_of_aligned(n, alignment);
            if (c == kNoClass) {
                const bool is_shifted = alignment == 512 && n <= 512;  // and the next class is far larger
                ASSERT_TRUE(is_listed() || n > kLargestSmall || alignment > kRegionPageSize || is_shifted)
                    << n << " at " << alignment;
                continue;
            }
            ASSERT_GE(table[c].object_size, n);
            ASSERT_TRUE(alignment <= table.alignment ||
                        table[c].object_size <= 2 * round_up(std::max(n, alignment), alignment));
            ASSERT_TRUE(held[c]) << n << " at " << alignment;
            for (ClassIndex smaller = table.class_of(n); smaller < c; ++smaller) {
                ASSERT_FALSE(held[smaller]) << n << " at " << alignment;
            }
        }
    }
}

TEST_P(EveryTable, LinesAreServedByClassesOfWholeLines) {
    for (size_t n = 0; n <= kSmallLimit; ++n) {
        const ClassIndex c = table.line_index[(n + 63) / 64] / SizeClasses::kLaneBytes;
        ASSERT_EQ(c, table.class_of_aligned(round_up(std::max<size_t>(n, 1), 64), 64)) << n;
        ASSERT_TRUE(c != kNoClass || is_listed()) << n;
        ASSERT_TRUE(c == kNoClass || (table[c].object_size % 64 == 0 && table[c].object_size >= n)) << n;
    }
}

TEST_P(EveryTable, SpansHoldWhatTheySayAndWasteLittle) {
    uint32_t most = 0;
    for (ClassIndex c = 1; c < table.count; ++c) {
        const size_t bytes = table[c].span_pages * kRegionPageSize;
        const size_t used = size_t{table[c].object_count} * table[c].object_size;
        EXPECT_LE(used, bytes);
        EXPECT_LE((bytes - used) * (table[c].object_size > 2 * KiB ? 16 : 32), bytes) << table[c].object_size;
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

size_t size_for(const SizeClasses& table, size_t n) { return table[table.class_of(n)].object_size; }

class AutomaticTable : public testing::Test {
  protected:
    const SizeClasses cacheline = build_size_classes(regular(ClassChoice::cacheline));
    const SizeClasses compact = build_size_classes(regular(ClassChoice::compact));
    const SizeClasses before = build_size_classes(regular(ClassChoice::automatic));
    SizeClasses table = before;
};

TEST_F(AutomaticTable, ServesAsCachelineFirstAndThenNoWorseThanCompact) {
    for (size_t n = 0; n <= kLargestSmall; ++n) {
        ASSERT_EQ(size_for(table, n), size_for(cacheline, n)) << n;
    }
    EXPECT_EQ(table.refinable_below, 49U) << "requests of 49 to 64 bytes gain nothing";
    table.refine();
    EXPECT_EQ(table.refinable_below, 0U);
    for (size_t n = 0; n <= kLargestSmall; ++n) {
        ASSERT_LE(size_for(table, n), size_for(compact, n)) << n;
        ASSERT_EQ(size_for(table, n), size_for(n <= SizeClasses::kFinerUpTo ? compact : cacheline, n)) << n;
    }
}

TEST_F(AutomaticTable, IsRightAtEveryMomentOfItsChange) {
    SizeClasses after = before;
    after.refine();
    std::vector<size_t> order(std::size(table.finer_index));
    std::iota(order.begin(), order.end(), 0);
    for (unsigned seed = 1; seed <= 20; ++seed) {
        table = before;
        std::shuffle(order.begin(), order.end(), std::mt19937(seed));
        for (const size_t changed : order) {
            table.small_index[changed] = table.finer_index[changed];
            for (size_t n = 0; n <= 300; ++n) {
                const ClassIndex c = table.class_of(n);
                ASSERT_TRUE(c == before.class_of(n) || c == after.class_of(n)) << n;
                ASSERT_GE(table[c].object_size, n);
                // A sized delete compares with these bounds, and then exactly.
                ASSERT_LE(table.smallest_request(c), n);
                for (const ClassIndex served : {before.class_of(n), after.class_of(n)}) {
                    ASSERT_TRUE(table.may_have_served(served, n, 1)) << n;
                }
                ASSERT_EQ(table.smallest_class_for(n), after.class_of(n)) << n;
                for (size_t alignment = 1; alignment <= 256; alignment *= 2) {
                    const ClassIndex aligned = table.class_of_aligned(n, alignment);
                    ASSERT_EQ(aligned, after.class_of_aligned(n, alignment)) << n << " at " << alignment;
                    ASSERT_EQ(table.smallest_class_for(table[aligned].object_size), aligned)
                        << "sampled objects";
                }
            }
        }
        // The child of a process that forked in the middle.
        table.small_index[1 + seed % 16] = before.small_index[1 + seed % 16];
        table.refine();
        ASSERT_TRUE(
            std::equal(std::begin(table.small_index), std::end(table.small_index), after.small_index));
    }
}

TEST_F(AutomaticTable, AWrongSizeOfADeleteIsStillFound) {
    table.refine();
    const ClassIndex of_64 = table.class_of(64);
    const ClassIndex of_32 = table.class_of(32);
    EXPECT_FALSE(table.may_have_served(of_64, 65, 1));
    EXPECT_FALSE(table.may_have_served(of_32, 16, 1));
    EXPECT_FALSE(table.may_have_served(of_32, 64, 1));
    EXPECT_FALSE(table.may_have_served(table.class_of(128), 64, 1));
    EXPECT_TRUE(table.may_have_served(table.class_of(128), 65, 1));
    EXPECT_FALSE(table.may_have_served(table.class_of(80), 64, 1));
    EXPECT_FALSE(table.may_have_served(table.class_of(320), 256, 1));
    EXPECT_FALSE(table.may_have_served(of_64, 20, 32)) << "aligned requests have one class";
    EXPECT_TRUE(table.may_have_served(of_32, 20, 32));
    EXPECT_FALSE(compact.may_have_served(compact.class_of(64), 20, 1));
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
