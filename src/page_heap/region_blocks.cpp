// SPDX-License-Identifier: MIT
//
// Pages of the region for the fallback's blocks, which may be of any length. Both tiers use the same free pages.
#include "maintenance/tuning.h"
#include "page_heap/region_section.h"

#include <algorithm>

namespace hotlane {

namespace {

/// The fallback gives memory back in parts of the smallest page of a kernel.
constexpr size_t kParts = kRegionPageSize / kSmallestOsPage;
constexpr uint32_t kAllParts = (1U << kParts) - 1;
constexpr size_t kNowhere = SIZE_MAX;

constexpr uint32_t parts(uint32_t first, uint32_t end) { return (1U << end) - (1U << first); }

/// Calls `visit(section, first page in it, pages)` for each section that has some of the pages.
template <class Visit>
void visit_sections(size_t first, size_t end, Visit visit) {
    while (first < end) {
        const auto at = static_cast<uint32_t>(first % Region::kSectionPages);
        const auto pages = static_cast<uint32_t>(std::min<size_t>(end - first, Region::kSectionPages - at));
        visit(first / Region::kSectionPages, at, pages);
        first += pages;
    }
}

}  // namespace

void* Region::take_block(size_t bytes, size_t alignment, bool* fresh) {
    HOTLANE_ASSERT(bytes % kSmallestOsPage == 0 && alignment <= kMostBlockAlignment);
    const size_t pages = divide_up(bytes, kRegionPageSize);
    const size_t aligned = std::max(alignment / kRegionPageSize, size_t{os_page_pages_});
    LockGuard guard(lock_);
    size_t first = find_for_block(true, pages, aligned);
    if (first == kNowhere) {
        first = find_for_block(false, pages, aligned);
    }
    if (first == kNowhere) {
        first = round_up(first_of_free_end(), aligned);
        if (!grow_until(first + pages)) {
            return nullptr;
        }
    }
    take_block_at(first, bytes, fresh);
    return address({static_cast<uint32_t>(first)});
}

bool Region::extend_block(void* end, size_t bytes, bool* fresh) {
    if (address_of(end) % kRegionPageSize != 0) {
        return false;
    }
    const size_t first = (address_of(end) - base_) >> kRegionPageShift;  // beyond all pages if it is foreign
    const size_t pages_end = first + divide_up(bytes, kRegionPageSize);
    LockGuard guard(lock_);
    const size_t known_end = std::min(pages_end, frontier_);
    if (first > frontier_ || count_free(first, known_end) != known_end - first || !grow_until(pages_end)) {
        return false;
    }
    take_block_at(first, bytes, fresh);
    return true;
}

/// The first of `pages` adjacent pages that are free, or free and dirty. kNowhere if there are none. Many pages come from
/// the shortest stretch that is long enough, so that longer ones are left for larger blocks.
size_t Region::find_for_block(bool dirty, size_t pages, size_t alignment) {
    if ((dirty ? free_dirty_pages_ : free_pages_) < pages) {
        return kNowhere;
    }
    const bool takes_shortest = pages > kLongestRun;
    size_t shortest = kNowhere;
    size_t least_left = SIZE_MAX;
    size_t first = kNowhere;  // where the stretch begins that ends where the search is
    for (size_t s = dirty ? first_dirty_section_ : first_free_section_; s < sections_ready_; ++s) {
        SectionHeader& h = header(s);
        const uint64_t* const bits = dirty ? h.dirty : h.free;
        RunBounds& bounds = dirty ? h.dirty_runs : h.free_runs[static_cast<size_t>(PageUse::any)];
        const bool is_whole = first == kNowhere;
        for (uint32_t at = 0; at < kSectionPages;) {
            if (first == kNowhere) {
                at = find_stretch(bits, bounds, at, pages);
                if (at == kSectionPages) {
                    break;
                }
                first = s * kSectionPages + at;
            }
            at = find_bit(bits, at, kSectionPages, false);
            if (takes_shortest && at == kSectionPages && s + 1 != sections_ready_) {
                break;  // it may be longer
            }
            const size_t start = round_up(first, alignment);
            const size_t end = s * kSectionPages + at;
            if (start + pages <= end && !takes_shortest) {
                return start;
            }
            if (start + pages <= end && end - start - pages < least_left) {
                shortest = start;
                least_left = end - start - pages;
            }
            first = at < kSectionPages ? kNowhere : first;
        }
        if (is_whole && alignment == 1 && pages <= kLongestRun) {
            bounds.note_none(static_cast<uint32_t>(pages));
        }
    }
    return shortest;
}

/// The first page from `at` on where a stretch of set bits begins that may have `pages` bits, or that reaches the end of the
/// section and may go on in the next. kSectionPages if there is none.
uint32_t Region::find_stretch(const uint64_t* bits, RunBounds& bounds, uint32_t at, size_t pages) {
    if (bounds.longest >= std::min<size_t>(pages, kLongestRun + 1)) {
        const uint32_t i =
            RunBounds::length_index(static_cast<uint32_t>(std::min<size_t>(pages, kLongestRun)));
        const uint32_t least = RunBounds::kLengths[i];
        const uint32_t from = std::max(at, bounds.from_for(least));
        const uint32_t found = find_run(bits, from, kSectionPages, least);
        lock_counts::note_copy((found - from) / 8);
        if (at == 0) {
            bounds.note_found(least, found);
        }
        if (found != kSectionPages) {
            return found;
        }
    }
    const uint32_t most = std::min(kLongestRun, kSectionPages - at);
    return kSectionPages - count_set_before(bits, kSectionPages, most);
}

/// How many of the pages, all below the frontier, are free.
size_t Region::count_free(size_t first, size_t end) const {
    size_t count = 0;
    visit_sections(first, end, [&](size_t s, uint32_t at, uint32_t pages) {
        count += count_bits(header(s).free, at, pages);
    });
    return count;
}

/// Adds free pages until the frontier is at `end` or beyond it. Adds nothing if the region can never have so many.
bool Region::grow_until(size_t end) {
    if (end > page_count_) {
        return false;
    }
    while (frontier_ < end) {
        if (frontier_ * kRegionPageSize >= settings_.huge_from_bytes) {
            const size_t wanted = divide_up(end - round_down(frontier_, kHugePages), kHugePages);
            const size_t at_once = std::max(wanted, tuning::huge_pages_at_once(frontier_ / kHugePages));
            if (!add_pages_for(PageUse::small_objects, at_once)) {
                return false;
            }
            continue;
        }
        const size_t next = std::min(end, round_down(frontier_, kSectionPages) + kSectionPages);
        if (!make_ready(frontier_, next - frontier_)) {
            return false;
        }
        mark_gap_free(next);
        frontier_ = next;
    }
    return true;
}

void Region::take_block_at(size_t first, size_t bytes, bool* fresh) {
    const size_t pages = divide_up(bytes, kRegionPageSize);
    size_t dirty = 0;
    visit_sections(first, first + pages,
                   [&](size_t s, uint32_t at, uint32_t here) { dirty += mark_taken(header(s), at, here); });
    // Nobody has the end of the last page, as if it had come back already.
    if (const size_t used = bytes % kRegionPageSize; used != 0) {
        const size_t last = first + pages - 1;
        header(last / kSectionPages).came_back[last % kSectionPages] =
            static_cast<uint8_t>(parts(static_cast<uint32_t>(used / kSmallestOsPage), kParts));
    }
    block_pages_ += pages;
    count_fresh(pages - dirty);
    *fresh = dirty == 0;
}

void Region::put_back_block(void* p, size_t bytes, uint8_t now) {
    const size_t start = address_of(p) - base_;
    const size_t end = start + bytes;
    prefetch(start / kRegionPageSize, divide_up(bytes, kRegionPageSize));
    const auto part_of = [](size_t offset) {
        return static_cast<uint32_t>(offset % kRegionPageSize / kSmallestOsPage);
    };
    LockGuard guard(lock_);
    size_t page = start / kRegionPageSize;
    if (page == end / kRegionPageSize) {
        return put_back_part(page, part_of(start), part_of(end), now);
    }
    if (part_of(start) != 0) {
        put_back_part(page++, part_of(start), kParts, now);
    }
    visit_sections(page, end / kRegionPageSize, [&](size_t s, uint32_t at, uint32_t pages) {
        block_pages_ -= pages;
        mark_free({static_cast<uint32_t>(s * kSectionPages + at)}, pages, true, now);
    });
    if (part_of(end) != 0) {
        put_back_part(end / kRegionPageSize, 0, part_of(end), now);
    }
}

void Region::put_back_part(size_t page, uint32_t first_part, uint32_t end_part, uint8_t now) {
    uint8_t& came_back = header(page / kSectionPages).came_back[page % kSectionPages];
    came_back |= static_cast<uint8_t>(parts(first_part, end_part));
    if (came_back == kAllParts) {
        came_back = 0;
        --block_pages_;
        mark_free({static_cast<uint32_t>(page)}, 1, true, now);
    }
}

bool Region::holds_block(const void* p) {
    const size_t page = page_containing(p).value;
    LockGuard guard(lock_);
    return page < frontier_ && count_free(page, page + 1) == 0;
}

}  // namespace hotlane
