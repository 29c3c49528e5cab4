// SPDX-License-Identifier: MIT
//
// Tests the region's pages for blocks of the fallback, and the budget for free pages that hold memory.
#include "maintenance/tuning.h"
#include "region_fixture.h"

#include <random>
#include <vector>

namespace {

using namespace hotlane;
using fake_os::Call;

class RegionBlocks : public RegionFixture {
  protected:
    static constexpr size_t kPage = kRegionPageSize;
    static constexpr size_t kPart = kSmallestOsPage;
    static constexpr size_t kSection = Region::kSectionPages * kPage;

    std::byte* block(size_t bytes, size_t alignment = kPart, bool* fresh = nullptr) {
        bool ignored = false;
        return static_cast<std::byte*>(
            region->take_block(bytes, alignment, fresh != nullptr ? fresh : &ignored));
    }
    size_t page_of(const std::byte* p) { return region->page_containing(p).value; }
};

TEST_F(RegionBlocks, SpansAndBlocksUseTheSameFreePages) {
    ASSERT_TRUE(set_up(256 * MiB));
    take(4);
    std::byte* first = block(5 * kPage);
    EXPECT_EQ(page_of(first), 4U);
    region->put_back({0}, 4, 0);
    bool fresh = true;
    EXPECT_EQ(page_of(block(3 * kPage, kPart, &fresh)), 0U);
    EXPECT_FALSE(fresh);
    region->put_back_block(first, 5 * kPage, 0);
    EXPECT_EQ(take(2, &fresh), 3U) << "the lowest pages that hold memory";
    EXPECT_FALSE(fresh);
}

TEST_F(RegionBlocks, PagesThatHoldMemoryComeFirst) {
    ASSERT_TRUE(set_up(256 * MiB));
    take(40);
    region->put_back({2}, 8, 0);
    region->purge(9, 4);
    region->put_back({20}, 8, 9);
    bool fresh = true;
    EXPECT_EQ(page_of(block(6 * kPage, kPart, &fresh)), 20U);
    EXPECT_FALSE(fresh);
    EXPECT_EQ(page_of(block(6 * kPage, kPart, &fresh)), 2U);
    EXPECT_TRUE(fresh);
}

TEST_F(RegionBlocks, BlocksCrossSections) {
    ASSERT_TRUE(set_up(512 * MiB));
    take(8);
    std::byte* p = block(3 * kSection);
    ASSERT_EQ(page_of(p), 8U);
    p[0] = p[3 * kSection - 1] = std::byte{1};
    EXPECT_EQ(take(8), 8U + 3 * Region::kSectionPages);
    region->put_back_block(p, 3 * kSection, 0);
    EXPECT_EQ(region->stats().free_dirty_bytes, 3 * kSection);
    EXPECT_EQ(page_of(block(2 * kSection)), 8U);
    EXPECT_EQ(take(8), 8U + 2 * Region::kSectionPages);
}

TEST_F(RegionBlocks, ThePlaceIsAligned) {
    ASSERT_TRUE(set_up(256 * MiB));
    take(1);
    for (size_t alignment = kPart; alignment <= Region::kMostBlockAlignment; alignment *= 2) {
        EXPECT_EQ(address_of(block(3 * kPage, alignment)) % alignment, 0U) << alignment;
    }
    EXPECT_EQ(take(1), 13U) << "what was left out before an aligned block is free";
}

TEST_F(RegionBlocks, APageIsFreeWhenAllOfItCameBack) {
    ASSERT_TRUE(set_up(256 * MiB));
    std::byte* p = block(2 * kPage + kPart);  // of the third page, nobody has the rest
    EXPECT_EQ(page_of(block(kPart)), 3U);
    region->put_back_block(p + kPart, kPart, 0);
    region->put_back_block(p + 2 * kPart, kPage, 0);
    EXPECT_EQ(region->stats().free_dirty_bytes, 0U);
    region->put_back_block(p, kPart, 0);
    EXPECT_EQ(region->stats().free_dirty_bytes, kPage) << "the first one";
    region->put_back_block(p + 2 * kPart + kPage, kPage - kPart, 0);
    EXPECT_EQ(region->stats().free_dirty_bytes, 3 * kPage);
    EXPECT_EQ(take(3), 0U);
    std::byte* second = block(kPart);
    region->put_back_block(second, kPart, 0);
    EXPECT_EQ(region->stats().free_dirty_bytes, kPage);
}

TEST_F(RegionBlocks, ABlockGrowsWhereThePagesAfterItAreFree) {
    ASSERT_TRUE(set_up(256 * MiB));
    std::byte* p = block(2 * kPage);
    bool fresh = false;
    EXPECT_TRUE(region->extend_block(p + 2 * kPage, kPage + kPart, &fresh)) << "beyond all pages";
    EXPECT_TRUE(fresh);
    EXPECT_FALSE(region->extend_block(p + 3 * kPage + kPart, kPage, &fresh)) << "within a page";
    EXPECT_EQ(take(2), 4U);
    EXPECT_FALSE(region->extend_block(p + 4 * kPage, kPage, &fresh)) << "in use";
    region->put_back({4}, 1, 0);
    EXPECT_FALSE(region->extend_block(p + 4 * kPage, 2 * kPage, &fresh)) << "half of it is in use";
    EXPECT_TRUE(region->extend_block(p + 4 * kPage, kPage, &fresh));
    EXPECT_FALSE(fresh);
    int foreign = 0;
    EXPECT_FALSE(region->extend_block(reinterpret_cast<void*>(round_down(address_of(&foreign), kPage)), kPage,
                                      &fresh));
}

TEST_F(RegionBlocks, DoNotCountAgainstTheLimitOfSpans) {
    ASSERT_TRUE(set_up(256 * MiB, 10 * kPage));
    ASSERT_NE(block(100 * kPage), nullptr);
    take(10);
    EXPECT_EQ(refused(1), RegionFailure::limit);
    EXPECT_NE(block(100 * kPage), nullptr);
    EXPECT_EQ(region->stats().in_use_bytes, 10 * kPage);
}

TEST_F(RegionBlocks, ARefusalLosesNothing) {
    ASSERT_TRUE(set_up(256 * MiB));
    fake_os::fail_always(Call::commit, true);
    EXPECT_EQ(block(100 * MiB), nullptr);
    fake_os::fail_always(Call::commit, false);
    const size_t committed = region->stats().committed_bytes;
    EXPECT_EQ(block(300 * MiB), nullptr);
    EXPECT_EQ(region->stats().committed_bytes, committed) << "the region does not grow in vain";
    std::byte* p = block(200 * MiB);
    ASSERT_NE(p, nullptr);
    EXPECT_EQ(page_of(p), 0U);
    region->put_back_block(p, 200 * MiB, 0);
    EXPECT_EQ(page_of(block(256 * MiB)), 0U);
    Region never_set_up;
    bool fresh = false;
    EXPECT_EQ(never_set_up.take_block(kPage, kPart, &fresh), nullptr);
}

TEST_F(RegionBlocks, ArePagesThatAreNotFree) {
    ASSERT_TRUE(set_up(256 * MiB));
    std::byte* p = block(4 * kPage);
    EXPECT_TRUE(region->holds_block(p + 3 * kPage));
    EXPECT_FALSE(region->holds_block(p + 4 * kPage));
    region->put_back_block(p + kPage, kPage, 0);
    EXPECT_FALSE(region->holds_block(p + kPage));
    EXPECT_TRUE(region->holds_block(p));
}

TEST_F(RegionBlocks, BeyondASizeTheyLieIn2MibPages) {
    ASSERT_TRUE(set_up(256 * MiB, 0, 4 * MiB));
    block(4 * MiB);
    EXPECT_EQ(page_of(block(20 * MiB + kPart)), 4 * MiB / kPage);
    EXPECT_EQ(take(1), (24 * MiB + kPart) / kPage + 1) << "the rest of the last 2 MiB";
}

TEST_F(RegionBlocks, WhatExceedsTheBudgetIsPurgedFromTheEnd) {
    ASSERT_TRUE(set_up(256 * MiB));
    std::byte* p = block(100 * MiB);
    std::byte* kept = block(16 * MiB);
    region->put_back_block(p, 100 * MiB, 0);
    const size_t budget = tuning::dirty_budget(0, 16 * MiB / kPage, 116 * MiB / kPage) * kPage;
    EXPECT_EQ(budget, 8 * MiB);
    region->purge_to_budget(0);
    EXPECT_LE(region->stats().free_dirty_bytes, budget);
    const size_t left = region->stats().free_dirty_bytes;
    region->purge_to_budget(0);
    EXPECT_EQ(region->stats().free_dirty_bytes, left);
    region->put_back_block(kept, 16 * MiB, 0);
    fake_os::fail_always(Call::purge, true);
    region->purge_to_budget(0);  // ends, though nothing is purged
    EXPECT_EQ(region->stats().free_dirty_bytes, left + 16 * MiB);
}

TEST_F(RegionBlocks, AtThePeakLessIsKeptUntilThePeakIsForgotten) {
    ASSERT_TRUE(set_up(512 * MiB));
    const auto pieces = [this] {
        std::vector<std::byte*> found;
        for (int i = 0; i < 40; ++i) {
            found.push_back(block(1 * MiB));
            block(kPage);  // keeps them apart
        }
        return found;
    };
    const auto put_back = [this](const std::vector<std::byte*>& blocks) {
        for (std::byte* p : blocks) {
            region->put_back_block(p, 1 * MiB, 0);
        }
    };
    const auto kept_mib = [this] {
        region->purge_to_budget(0);
        return static_cast<double>(region->stats().free_dirty_bytes) / MiB;
    };
    const std::vector<std::byte*> first = pieces();
    const std::vector<std::byte*> second = pieces();
    block(40 * MiB);
    put_back(first);
    EXPECT_NEAR(kept_mib(), 80.0 / 4 + 4, 1.5) << "a quarter of what is used, 40 MiB below the peak";
    block(60 * MiB);
    EXPECT_NEAR(kept_mib(), 140.0 / 8 + 4, 1.5) << "an eighth: there was never more";

    region->put_back_block(block(100 * MiB), 100 * MiB, 0);
    region->purge(0, 0);
    put_back(second);
    for (int pass = 0; pass < 100; ++pass) {
        region->forget_old_peak();
    }
    EXPECT_NEAR(kept_mib(), 100.0 / 8 + 4, 1.5) << "240 MiB are forgotten";
}

TEST_F(RegionBlocks, ManyPagesComeFromTheShortestStretchThatIsLongEnough) {
    ASSERT_TRUE(set_up(512 * MiB));
    // Three stretches with live blocks between them. The longest crosses the border of a section.
    std::byte* longest = block(80 * MiB);
    block(kPage);
    std::byte* fits = block(20 * MiB);
    block(kPage);
    std::byte* longer = block(30 * MiB);
    block(kPage);
    region->put_back_block(longest, 80 * MiB, 0);
    region->put_back_block(fits, 20 * MiB, 0);
    region->put_back_block(longer, 30 * MiB, 0);
    EXPECT_EQ(block(18 * MiB), fits);
    EXPECT_EQ(block(25 * MiB), longer);
    EXPECT_EQ(block(70 * MiB), longest) << "no shorter block took a part of it";
    EXPECT_EQ(block(4 * MiB), longer + 25 * MiB) << "5 MiB are left there, and 10 behind the longest";
    EXPECT_EQ(block(kPage), longest + 70 * MiB) << "a few pages come from the lowest address";
}

TEST_F(RegionBlocks, HolesAreGivenBackForEver) {
    ASSERT_TRUE(set_up(256 * MiB));
    std::byte* p = block(100 * MiB);
    EXPECT_EQ(take(1), 100 * MiB / kPage);
    std::byte* small = block(8 * kPage);
    take(1);
    region->put_back_block(p, 100 * MiB, 0);
    region->put_back_block(small, 8 * kPage, 0);
    const size_t before = fake_os::reserved_bytes();
    const size_t reserved = region->stats().reserved_bytes;
    region->give_back_holes();
    EXPECT_EQ(fake_os::reserved_bytes(), before - 100 * MiB);
    EXPECT_EQ(region->stats().reserved_bytes, reserved - 100 * MiB);
    EXPECT_EQ(region->stats().free_dirty_bytes, 8 * kPage) << "not worth a call";
    region->give_back_holes();
    EXPECT_EQ(fake_os::reserved_bytes(), before - 100 * MiB);
    EXPECT_EQ(page_of(block(10 * kPage)), 100 * MiB / kPage + 10) << "none of these pages";
    region->purge(9, 0);
}

TEST_F(RegionBlocks, GrowthByBlocksCallsForAFlush) {
    ASSERT_TRUE(set_up(256 * MiB));
    block(1 * MiB - kPage);
    EXPECT_FALSE(region->growth_calls_for_flush());
    block(kPage);
    EXPECT_TRUE(region->growth_calls_for_flush());
    EXPECT_FALSE(region->growth_calls_for_flush());
}

// Every part of every page belongs to one block, to one span or to nobody.
TEST_F(RegionBlocks, AStretchAcrossABorderIsFoundThoughNeitherSectionHasOneSoLong) {
    constexpr uint32_t kBorder = Region::kSectionPages;
    ASSERT_TRUE(set_up(512 * MiB));
    std::byte* const all = block((kBorder + 64) * kRegionPageSize);
    for (const bool dirty : {true, false}) {
        for (const uint32_t pages : {6U, 20U, 64U, 100U}) {
            // A few that are too short, too, so that the search has somewhere to go.
            for (const uint32_t at : {100U, 1000U, 4000U}) {
                region->put_back_block(all + at * kPage, 5 * kRegionPageSize, 0);
            }
            region->put_back_block(all + (kBorder - pages / 2) * kPage, pages * kRegionPageSize, 0);
            if (!dirty) {
                region->purge(9, 0);
            }
            EXPECT_EQ(block(pages * kRegionPageSize), all + (kBorder - pages / 2) * kPage) << pages;
            for (const uint32_t at : {100U, 1000U, 4000U}) {
                EXPECT_EQ(block(5 * kRegionPageSize), all + at * kPage);
            }
        }
    }
}

class RegionBlocksFuzz : public RegionFixture, public testing::WithParamInterface<unsigned> {
  protected:
    static constexpr size_t kBytes = 192 * MiB;
    static constexpr size_t kPart = kSmallestOsPage;
    struct Owner {
        uintptr_t start;
        size_t bytes;
        bool is_span;
    };

    void mark(uintptr_t start, size_t bytes, bool value) {
        const size_t first = (start - address_of(region->address({0}))) / kPart;
        for (size_t part = first; part < first + bytes / kPart; ++part) {
            ASSERT_NE(owned[part], value) << part;
            owned[part] = value;
        }
    }
    void take_span() {
        const uint32_t pages = 1 + random() % 8;
        PageRun run{};
        RegionFailure why{};
        if (region->take(pages, PageUse::small_objects, true, {&run, 1}, &why) != 0) {
            owners.push_back({address_of(region->address(run.first)), pages * kRegionPageSize, true});
            mark(owners.back().start, owners.back().bytes, true);
        }
    }
    void take_block() {
        const size_t bytes = (1 + random() % (random() % 16 == 0 ? 4'000 : 64)) * kPart;
        const size_t alignment = kPart << (random() % 16 == 0 ? random() % 9 : 0);
        bool fresh = false;
        if (void* p = region->take_block(bytes, alignment, &fresh)) {
            ASSERT_EQ(address_of(p) % alignment, 0U);
            ASSERT_TRUE(!fresh || *static_cast<uint64_t*>(p) == 0);
            *static_cast<uint64_t*>(p) = 1;
            owners.push_back({address_of(p), bytes, false});
            mark(address_of(p), bytes, true);
        }
    }
    void put_back(const Owner& owner) {
        mark(owner.start, owner.bytes, false);
        if (owner.is_span) {
            region->put_back(region->page_containing(pointer_to(owner.start)),
                             static_cast<uint32_t>(owner.bytes / kRegionPageSize), tick);
        } else {
            region->put_back_block(pointer_to(owner.start), owner.bytes, tick);
        }
    }
    /// The end of a block comes back before the rest, or the block grows.
    void resize(Owner& owner) {
        const uintptr_t end = owner.start + owner.bytes;
        if (const size_t kept = random() % (owner.bytes / kPart) * kPart; kept != 0 && random() % 2 == 0) {
            put_back({owner.start + kept, owner.bytes - kept, false});
            owner.bytes = kept;
            return;
        }
        const size_t more = (1 + random() % 40) * kPart;
        bool fresh = false;
        if (region->extend_block(pointer_to(end), more, &fresh)) {
            mark(end, more, true);
            owner.bytes += more;
        }
    }
    void step(bool grow) {
        if (grow) {
            random() % 2 == 0 ? take_span() : take_block();
        } else if (!owners.empty()) {
            std::swap(owners[random() % owners.size()], owners.back());
            if (!owners.back().is_span && random() % 2 == 0) {
                return resize(owners.back());
            }
            put_back(owners.back());
            owners.pop_back();
        }
    }

    std::vector<bool> owned = std::vector<bool>(kBytes / kPart);
    std::vector<Owner> owners;
    std::mt19937 random{GetParam()};
    uint8_t tick = 0;
};

INSTANTIATE_TEST_SUITE_P(Seeds, RegionBlocksFuzz, testing::Range(1U, 7U));

TEST_P(RegionBlocksFuzz, NoPartHasTwoOwners) {
    ASSERT_TRUE(set_up(kBytes, 0, GetParam() % 2 == 0 ? 8 * MiB : SIZE_MAX));
    for (int i = 0; i < 4'000; ++i) {
        step(random() % 100 < (i / 500 % 2 == 0 ? 70U : 30U));
        if (random() % 64 == 0) {
            region->purge_to_budget(tick);
            region->purge(++tick, 4);
        }
        ASSERT_FALSE(HasFatalFailure()) << i;
    }
    for (const Owner& owner : owners) {
        put_back(owner);
    }
    EXPECT_EQ(region->stats().in_use_bytes, 0U);
    region->purge(tick, 0);
    EXPECT_EQ(region->stats().free_dirty_bytes, 0U);
    bool fresh = false;
    EXPECT_NE(region->take_block(kBytes, kPart, &fresh), nullptr) << "all pages are free";
    EXPECT_TRUE(fresh);
}

}  // namespace
