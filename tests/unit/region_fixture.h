// SPDX-License-Identifier: MIT
//
// A region on a system that refuses calls on request, and helpers to use it.
#pragma once

#include "fake_os.h"
#include "page_heap/region.h"

#include <gtest/gtest.h>
#include <memory>

namespace hotlane {

inline constexpr size_t kMetadataBytes = 64;

class RegionFixture : public testing::Test {
  protected:
    void SetUp() override {
        fake_os::reset();
        region_view.page_limit = 0;
    }
    void TearDown() override { fake_os::reset(); }

    bool set_up(size_t bytes, size_t limit = 0, size_t huge_from = SIZE_MAX) {
        return region->set_up({.largest_bytes = bytes,
                               .limit_bytes = limit,
                               .span_metadata_bytes = kMetadataBytes,
                               .huge_from_bytes = huge_from});
    }
    /// Takes a run that must be available. Returns its first page.
    uint32_t take(uint32_t pages, bool* fresh = nullptr, PageUse use = PageUse::small_objects) {
        PageRun run{};
        RegionFailure why{};
        EXPECT_EQ(region->take(pages, use, true, {&run, 1}, &why), 1U);
        EXPECT_EQ(why, RegionFailure::none);
        if (fresh != nullptr) {
            *fresh = run.fresh;
        }
        return run.first.value;
    }
    RegionFailure refused(uint32_t pages) {
        PageRun run{};
        RegionFailure why{};
        EXPECT_EQ(region->take(pages, PageUse::small_objects, true, {&run, 1}, &why), 0U);
        return why;
    }
    uint64_t& word_of(uint32_t page) { return *static_cast<uint64_t*>(region->address({page})); }

    std::unique_ptr<Region> region = std::make_unique<Region>();
};

}  // namespace hotlane
