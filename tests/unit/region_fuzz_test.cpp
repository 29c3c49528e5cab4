// SPDX-License-Identifier: MIT
//
// Compares the region with a model, a plain array of pages, over long random sequences.
#include "page_heap/region.h"

#include "fake_os.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <random>

namespace {

using namespace hotlane;
using fake_os::Call;

/// The expected state of the region, page by page.
class Model {
  public:
    explicit Model(uint32_t pages) : state_(pages) {}

    /// The lowest free run that holds memory, otherwise the lowest free run, otherwise the frontier. SIZE_MAX if there
    /// is no place for `pages`.
    size_t place_for(uint32_t pages) const {
        if (const size_t at = lowest_run(pages, [](uint8_t state) { return state == kDirty; });
            at != SIZE_MAX) {
            return at;
        }
        if (const size_t at = lowest_run(pages, [](uint8_t state) { return state != kUsed; });
            at != SIZE_MAX) {
            return at;
        }
        const uint32_t left = Region::kSectionPages - frontier_ % Region::kSectionPages;
        const uint32_t start = left < pages ? frontier_ + left : frontier_;
        return start + pages <= state_.size() ? start : SIZE_MAX;
    }
    bool take(uint32_t at, uint32_t pages) {
        bool fresh = true;
        for (uint32_t i = at; i < at + pages; ++i) {
            EXPECT_NE(state_[i], kUsed) << i;
            fresh = fresh && state_[i] != kDirty;
            state_[i] = kUsed;
        }
        frontier_ = std::max(frontier_, at + pages);
        return fresh;
    }
    void put_back(uint32_t at, uint32_t pages) { std::fill_n(state_.begin() + at, pages, kDirty); }
    void purge(uint32_t at, uint32_t pages) {
        for (uint32_t i = at; i < at + pages; ++i) {
            EXPECT_NE(state_[i], kUsed) << "purged while in use: " << i;
            state_[i] = kClean;
        }
    }
    size_t count(uint8_t state) const {
        return static_cast<size_t>(std::count(state_.begin(), state_.end(), state));
    }
    static constexpr uint8_t kClean = 0;
    static constexpr uint8_t kDirty = 1;
    static constexpr uint8_t kUsed = 2;

  private:
    template <class Suits>
    size_t lowest_run(uint32_t pages, Suits suits) const {
        uint32_t run = 0;
        for (uint32_t at = 0; at < frontier_; ++at) {
            run = at % Region::kSectionPages == 0 ? 0 : run;
            run = suits(state_[at]) ? run + 1 : 0;
            if (run == pages) {
                return at + 1 - pages;
            }
        }
        return SIZE_MAX;
    }

    std::vector<uint8_t> state_;
    uint32_t frontier_ = 0;
};

class RegionFuzz : public testing::TestWithParam<unsigned> {
  protected:
    void SetUp() override {
        fake_os::reset();
        region_view.page_limit = 0;
    }
    uint64_t& word_of(uint32_t page) { return *static_cast<uint64_t*>(region->address({page})); }

    std::unique_ptr<Region> region = std::make_unique<Region>();
};

INSTANTIATE_TEST_SUITE_P(Seeds, RegionFuzz, testing::Range(1U, 5U));

TEST_P(RegionFuzz, EveryPageIsFreeOrInUseAndNeverBoth) {
    constexpr size_t kBytes = 192 * MiB;
    const bool has_uses =
        GetParam() % 2 != 0;  // the model knows all but the places of pages for different uses
    ASSERT_TRUE(region->set_up({.largest_bytes = kBytes,
                                .span_metadata_bytes = 64,
                                .huge_from_bytes = has_uses ? 32 * MiB : SIZE_MAX}));
    Model model(kBytes / kRegionPageSize);
    std::mt19937 random(GetParam());
    std::map<uint32_t, uint32_t> live;  // first page: pages
    size_t purges_seen = 0;
    uint8_t tick = 0;
    for (int step = 0; step < 6'000; ++step) {
        // Alternates between growing and shrinking, through all sections.
        const bool grow = random() % 100 < (step / 1'000 % 2 == 0 ? 65U : 35U);
        if (grow) {
            const uint32_t pages = 1 + random() % (random() % 4 == 0 ? Region::kLongestRun : 8);
            const size_t expected = model.place_for(pages);
            PageRun run{};
            RegionFailure why{};
            const PageUse use = random() % 2 == 0 ? PageUse::small_objects : PageUse::large_objects;
            if (region->take(pages, use, true, {&run, 1}, &why) == 0) {
                ASSERT_EQ(expected, SIZE_MAX);
                ASSERT_EQ(why, RegionFailure::no_region);
                continue;
            }
            const auto [page, fresh] = run;
            const uint32_t first = page.value;
            if (!has_uses) {
                ASSERT_EQ(first, expected) << "step " << step;
            }
            ASSERT_EQ(fresh, model.take(first, pages)) << "step " << step;
            ASSERT_TRUE(!fresh || (word_of(first) == 0 && word_of(first + pages - 1) == 0));
            word_of(first) = word_of(first + pages - 1) = first + 1;
            live[first] = pages;
        } else if (!live.empty()) {
            auto victim = std::next(live.begin(), static_cast<long>(random() % live.size()));
            ASSERT_EQ(word_of(victim->first), victim->first + 1) << "written by nobody else";
            region->put_back({victim->first}, victim->second, tick);
            model.put_back(victim->first, victim->second);
            live.erase(victim);
        }
        if (random() % 100 == 0) {
            fake_os::fail_nth(Call::purge, random() % 3);
            region->purge(++tick, random() % 8 == 0 ? 0 : 4);
            fake_os::fail_nth(Call::purge, 0);
            const std::vector<fake_os::PurgedRun> runs = fake_os::purged_runs();
            for (; purges_seen < runs.size(); ++purges_seen) {
                const PageIndex first = region->page_containing(pointer_to(runs[purges_seen].address));
                model.purge(first.value, static_cast<uint32_t>(runs[purges_seen].bytes / kRegionPageSize));
            }
        }
        if (step % 16 != 0) {
            continue;
        }
        const RegionStats stats = region->stats();
        ASSERT_EQ(stats.in_use_bytes, model.count(Model::kUsed) * kRegionPageSize);
        ASSERT_EQ(stats.free_dirty_bytes, model.count(Model::kDirty) * kRegionPageSize);
    }
}

}  // namespace
