// SPDX-License-Identifier: MIT
//
// What the region keeps for each section of its pages.
#pragma once

#include "base/bits.h"
#include "page_heap/region.h"

namespace hotlane {

inline constexpr size_t kPageUses = 2;  // PageUse::any stands for both
inline constexpr uint32_t kHugePages = kHugePageSize / kRegionPageSize;

/// Which pages of a section are free, which of these still hold memory (are dirty), and since when.
struct Region::SectionHeader {
    uint32_t free_count;
    uint32_t dirty_count;
    uint32_t first_free;  // no page before it is free
    // No run of free pages that suits the use is longer, nor any run of dirty pages. What is longer than kLongestRun may be
    // much longer.
    uint32_t longest_free[kPageUses];
    uint32_t longest_dirty;
    uint64_t free[kSectionPages / kBitsPerWord];
    uint64_t dirty[kSectionPages / kBitsPerWord];
    uint64_t huge[divide_up(kSectionPages / kHugePages, kBitsPerWord)];  // where 2-MiB pages were asked for
    uint8_t freed_at[kSectionPages];  // the tick at which a dirty page became free, modulo 256
    uint8_t
        came_back[kSectionPages];  // a bit for each part of a block's page that came back before the others
};

inline Region::SectionHeader& Region::header(size_t index) const {
    static_assert(sizeof(SectionHeader) <= kSectionHeaderBytes);
    return *reinterpret_cast<SectionHeader*>(section(index));
}

}  // namespace hotlane
