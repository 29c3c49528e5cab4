// SPDX-License-Identifier: MIT
//
// Where the region finds the pages that it hands out. All of it runs under the region's lock.
#include "page_heap/region.h"

#include "base/bits.h"
#include "maintenance/tuning.h"
#include "page_heap/region_section.h"

#include <algorithm>

namespace hotlane {

/// Takes adjacent runs.
void Region::take_at(size_t section_index, uint32_t at, uint32_t pages, std::span<PageRun> runs) {
    SectionHeader& h = header(section_index);
    uint32_t next = at;
    for (PageRun& run : runs) {
        const bool fresh = count_bits(h.dirty, next, pages) == 0;
        run = {{static_cast<uint32_t>(section_index * kSectionPages + next)}, fresh};
        next += pages;
    }
    const uint32_t dirty = mark_taken(h, at, next - at);
    count_fresh(next - at - dirty);
}

/// The first run of dirty pages in the section, or kSectionPages if there is none.
uint32_t Region::find_dirty(size_t section_index, uint32_t pages) {
    SectionHeader& h = header(section_index);
    if (h.dirty_runs.longest < pages) {
        return kSectionPages;
    }
    const uint32_t from = h.dirty_runs.from_for(pages);
    const uint32_t at = find_run(h.dirty, from, kSectionPages, pages);
    lock_counts::note_copy((at - from) / 8);
    h.dirty_runs.note_found(pages, at);
    return at;
}

/// Takes adjacent runs of free pages all of which hold memory. Returns how many, or 0 if there is none.
uint32_t Region::take_dirty(uint32_t pages, std::span<PageRun> runs) {
    if (!may_have_dirty_run(pages)) {
        return 0;
    }
    while (free_dirty_pages_ != 0 && header(first_dirty_section_).dirty_count == 0) {
        ++first_dirty_section_;
    }
    for (size_t s = first_dirty_section_; free_dirty_pages_ >= pages && s < sections_ready_; ++s) {
        const uint32_t at = find_dirty(s, pages);
        if (at != kSectionPages) {
            const auto most =
                static_cast<uint32_t>(std::min<size_t>(at + pages * runs.size(), kSectionPages));
            const uint32_t taken = (find_bit(header(s).dirty, at, most, false) - at) / pages;
            take_at(s, at, pages, runs.first(taken));
            return taken;
        }
    }
    longest_dirty_.store(pages - 1, std::memory_order_relaxed);
    return 0;
}

/// Whether a page may be made resident for this use. Before the region asks for 2-MiB pages, the uses share pages.
bool Region::suits(size_t section_index, uint32_t at, PageUse use) const {
    const bool is_huge = test_bit(header(section_index).huge, at / kHugePages);
    const bool is_shared = (section_index * kSectionPages + at) * kRegionPageSize < settings_.huge_from_bytes;
    return use == PageUse::any || (use == PageUse::small_objects ? is_huge || is_shared : !is_huge);
}

/// The first stretch of free pages for this use in the section that has at least `pages` pages. None if `pages` is 0 in the
/// result.
Region::SectionRun Region::find_suitable_run(size_t section_index, uint32_t pages, PageUse use) const {
    const SectionHeader& h = header(section_index);
    uint32_t at = h.free_runs[static_cast<size_t>(use)].from_for(pages);
    at = find_bit(h.free, at, kSectionPages, true);
    while (at < kSectionPages) {
        const uint32_t free_end = find_bit(h.free, at, kSectionPages, false);
        const bool is_suitable = suits(section_index, at, use);
        auto end = static_cast<uint32_t>(round_down(at, kHugePages)) + kHugePages;
        while (end < free_end && suits(section_index, end, use) == is_suitable) {
            end += kHugePages;
        }
        end = std::min(end, free_end);
        if (is_suitable && end - at >= pages) {
            return {at, end - at};
        }
        at = find_bit(h.free, end, kSectionPages, true);
    }
    return {kSectionPages, 0};
}

/// Takes adjacent runs of free pages, whether they hold memory or not. Returns how many, or 0 if there is none.
uint32_t Region::take_free(uint32_t pages, PageUse use, std::span<PageRun> runs) {
    if (free_pages_ < pages) {
        return 0;
    }
    while (header(first_free_section_).free_count == 0) {
        ++first_free_section_;
    }
    for (size_t s = first_free_section_; s < sections_ready_; ++s) {
        RunBounds& bounds = header(s).free_runs[static_cast<size_t>(use)];
        if (bounds.longest < pages) {
            continue;
        }
        const SectionRun found = find_suitable_run(s, pages, use);
        bounds.note_found(pages, found.first);
        if (found.pages != 0) {
            const auto taken = static_cast<uint32_t>(std::min<size_t>(runs.size(), found.pages / pages));
            take_at(s, found.first, pages, runs.first(taken));
            return taken;
        }
    }
    return 0;
}

/// Makes pages in one section usable, and the section's metadata.
bool Region::make_ready(size_t start, size_t pages) {
    return start + pages <= page_count_ &&
           (start / kSectionPages < sections_ready_ || commit_section(start / kSectionPages)) &&
           commit_pages_until(start + pages);
}

/// What lies between the frontier and `start` is left for runs that fit.
void Region::mark_gap_free(size_t start) {
    if (start != frontier_) {
        mark_free({static_cast<uint32_t>(frontier_)}, static_cast<uint32_t>(start - frontier_), false, 0);
    }
}

/// Takes adjacent runs of pages that were never used. Returns how many, or 0 if there are none.
uint32_t Region::take_beyond_frontier(uint32_t pages, PageUse use, std::span<PageRun> runs) {
    if (frontier_ * kRegionPageSize >= settings_.huge_from_bytes) {
        for (const size_t huge_pages : {tuning::huge_pages_at_once(frontier_ / kHugePages), size_t{1}}) {
            if (add_pages_for(use, huge_pages)) {
                return take_free(pages, use, runs);
            }
        }
    }
    size_t start = frontier_;
    if (const size_t section_left = kSectionPages - start % kSectionPages; section_left < pages) {
        start += section_left;
    }
    const size_t most = std::min(runs.size(), (kSectionPages - start % kSectionPages) / pages);
    for (const size_t count : {most, size_t{1}}) {
        if (make_ready(start, count * pages)) {
            mark_gap_free(start);
            for (size_t i = 0; i != count; ++i) {
                runs[i] = {{static_cast<uint32_t>(start + i * pages)}, true};
            }
            frontier_ = start + count * pages;
            count_fresh(count * pages);
            return static_cast<uint32_t>(count);
        }
    }
    return 0;
}

/// Adds the next `huge_pages` times 2 MiB, or what the section has left, to the free pages of one use. Several at
/// once keep the number of the kernel's mappings low.
bool Region::add_pages_for(PageUse use, size_t huge_pages) {
    const size_t start = round_up(frontier_, kHugePages);
    const auto in_section = static_cast<uint32_t>(start % kSectionPages);
    const auto pages =
        static_cast<uint32_t>(std::min<size_t>(huge_pages * kHugePages, kSectionPages - in_section));
    if (!make_ready(start, pages)) {
        return false;
    }
    mark_gap_free(start);
    const bool is_huge = use == PageUse::small_objects;
    if (is_huge) {
        os::advise_huge(pointer_to(base_ + start * kRegionPageSize), pages * kRegionPageSize, true);
    }
    set_bits(header(start / kSectionPages).huge, in_section / kHugePages, pages / kHugePages, is_huge);
    mark_free({static_cast<uint32_t>(start)}, pages, false, 0);
    frontier_ = start + pages;
    return true;
}

}  // namespace hotlane
