// SPDX-License-Identifier: MIT
//
// Compares sets of spans with sorted sets, in regions of all sizes.
#include "page_heap/span_set.h"

#include "fake_os.h"

#include <gtest/gtest.h>
#include <new>
#include <random>
#include <set>

namespace {

using namespace hotlane;

constexpr uint32_t kPagesOfGiB = 1 * GiB / kRegionPageSize;

class SpanSetTest : public testing::Test {
  protected:
    void SetUp() override {
        fake_os::reset();
        region_view.page_limit = 0;
        new (&region) Region;
    }
    void TearDown() override {
        new (&region) Region;
        fake_os::reset();
    }
    /// Sets up a region in which `pages` pages may be used.
    static bool set_up(uint32_t pages) {
        bool fresh = false;
        return region.set_up({.largest_bytes = pages * kRegionPageSize,
                              .span_metadata_bytes = Span::metadata_bytes(256),
                              .section_metadata_bytes = 2 * SpanSet::kBytesOfStore}) &&
               region.take_block(pages * kRegionPageSize, kRegionPageSize, &fresh) != nullptr;
    }
    static Span* span_at(uint32_t page, ClassIndex c = 1, uint8_t store = 0) {
        auto* const span = static_cast<Span*>(region.span_metadata({page}));
        span->open({page}, c, false, store);
        return span;
    }
};

TEST_F(SpanSetTest, TheLowestAddressComesFirstThroughAnySequence) {
    constexpr uint32_t kPages = 3 * kPagesOfGiB / 16;
    ASSERT_TRUE(set_up(kPages));
    for (unsigned seed = 1; seed <= 4; ++seed) {
        std::mt19937 random(seed);
        SpanSet set;
        std::set<uint32_t> inside;
        const uint32_t step_pages = seed % 2 == 0 ? 1 : kPages / 50;
        for (int step = 0; step < 20'000; ++step) {
            uint32_t page = random() % (seed % 2 == 0 ? 2'000 : 50) * step_pages;
            const bool mostly_in = step / 2'000 % 2 == 0;
            if (random() % 4 == 0 && !inside.empty()) {
                page = set.first()->first_page().value;
            }
            if (inside.contains(page) && (!mostly_in || random() % 4 == 0)) {
                set.remove(span_at(page));
                inside.erase(page);
            } else if (inside.insert(page).second) {
                set.insert(span_at(page));
            }
            ASSERT_EQ(set.contains_any(), !inside.empty());
            ASSERT_EQ(set.first(), inside.empty() ? nullptr : region.span_metadata({*inside.begin()}));
        }
        for (; !inside.empty(); inside.erase(inside.begin())) {
            ASSERT_EQ(set.first()->first_page().value, *inside.begin());
            set.remove(set.first());
        }
        ASSERT_EQ(set.first(), nullptr);
    }
}

TEST_F(SpanSetTest, ClassesAndStoresHaveSetsOfTheirOwn) {
    ASSERT_TRUE(set_up(2 * Region::kSectionPages));
    SpanSet sets[3];
    const struct {
        ClassIndex c;
        uint8_t store;
    } kinds[] = {{1, 0}, {2, 0}, {1, 1}};
    for (uint32_t i = 0; i != 600; ++i) {
        sets[i % 3].insert(span_at(9 * i, kinds[i % 3].c, kinds[i % 3].store));
    }
    for (uint32_t i = 0; i != 600; ++i) {
        Span* const first = sets[i % 3].first();
        ASSERT_EQ(first->first_page().value, 9 * i);
        sets[i % 3].remove(first);
    }
    for (SpanSet& set : sets) {
        EXPECT_FALSE(set.contains_any());
    }
}

TEST_F(SpanSetTest, AboveFourGiBAGroupHasMoreThanOneLeaf) {
    ASSERT_TRUE(set_up(12 * kPagesOfGiB));
    SpanSet set;
    std::set<uint32_t> inside;
    std::mt19937 random(1);
    for (const uint32_t gib : {3U, 5U, 9U, 11U, 2U}) {
        for (int i = 0; i < 200; ++i) {
            const uint32_t page = gib * kPagesOfGiB + static_cast<uint32_t>(random()) % kPagesOfGiB;
            if (inside.insert(page).second) {
                set.insert(span_at(page));
            }
        }
        ASSERT_EQ(set.first()->first_page().value, *inside.begin());
        for (int i = 0; i < 100; ++i) {
            const auto it = inside.lower_bound(static_cast<uint32_t>(random()) % (12 * kPagesOfGiB));
            if (it != inside.end()) {
                set.remove(span_at(*it));
                inside.erase(it);
            }
        }
    }
    for (; !inside.empty(); inside.erase(inside.begin())) {
        ASSERT_EQ(set.first()->first_page().value, *inside.begin());
        set.remove(set.first());
    }
    EXPECT_EQ(set.first(), nullptr);
    set.insert(span_at(7));
    EXPECT_EQ(set.first()->first_page().value, 7U) << "of a group of many leaves";
}

}  // namespace
