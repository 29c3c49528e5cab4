// SPDX-License-Identifier: MIT
//
// What the region keeps for each section of its pages.
#pragma once

#include "base/bits.h"
#include "page_heap/region.h"

#include <algorithm>

namespace hotlane {

inline constexpr size_t kPageUses = 3;
inline constexpr uint32_t kHugePages = kHugePageSize / kRegionPageSize;

/// Bounds for the search of runs of pages in a section. They may be outdated, but only so that a search takes longer than
/// needed.
struct Region::RunBounds {
    static constexpr uint8_t kLengths[] = {1, 2, 3, 4, 5, 6, 8, 16, 32, 64};

    uint8_t longest;  // No run is longer. If it is more than kLongestRun, runs may be much longer.
    uint8_t from[std::size(kLengths)];  // No run of so many pages begins before this word of the bitmap.

    /// Which of kLengths is `pages`, or the next shorter one.
    static constexpr uint32_t length_index(uint32_t pages) {
        return pages < 8 ? std::min(pages, 6U) - 1
                         : static_cast<uint32_t>(std::bit_width(std::min(pages, kLongestRun))) + 2;
    }
    /// Where a search for a run begins. A run of many pages contains one of fewer pages.
    uint32_t from_for(uint32_t pages) const { return from[length_index(pages)] * kBitsPerWord; }
    /// A search through the section found the first run of this length at `at`, or none if that is kSectionPages.
    void note_found(uint32_t pages, uint32_t at) {
        if (const uint32_t i = length_index(pages); kLengths[i] == pages) {
            from[i] = static_cast<uint8_t>(at / kBitsPerWord);
        }
        if (at == kSectionPages) {
            note_none(pages);
        }
    }
    void note_none(uint32_t pages) { longest = static_cast<uint8_t>(std::min<uint32_t>(longest, pages - 1)); }
    /// There is a new run.
    void note_run(uint32_t at, uint32_t pages) {
        longest = static_cast<uint8_t>(std::max<uint32_t>(longest, std::min(pages, kLongestRun + 1)));
        for (uint8_t& word : from) {
            word = std::min(word, static_cast<uint8_t>(at / kBitsPerWord));
        }
    }
};

/// Which pages of a section are free, which of these still hold memory (are dirty), and since when.
struct alignas(64) Region::SectionHeader {
    uint16_t free_count;
    uint16_t dirty_count;
    RunBounds dirty_runs;
    RunBounds free_runs[kPageUses];  // of runs that suit the use
    alignas(64) uint64_t free[kSectionPages / kBitsPerWord];
    uint64_t dirty[kSectionPages / kBitsPerWord];
    uint64_t huge[divide_up(kSectionPages / kHugePages, kBitsPerWord)];  // where 2-MiB pages were asked for
    uint8_t freed_at[kSectionPages];  // the tick at which a dirty page became free, modulo 256
    uint8_t
        came_back[kSectionPages];  // a bit for each part of a block's page that came back before the others
};

inline Region::SectionHeader& Region::header(size_t index) const {
    static_assert(sizeof(SectionHeader) <= kSectionHeaderBytes);
    static_assert(offsetof(SectionHeader, free) == 64, "what each visit uses fits one cache line");
    return *reinterpret_cast<SectionHeader*>(section(index));
}

}  // namespace hotlane
