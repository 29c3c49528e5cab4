// SPDX-License-Identifier: MIT
//
// Page runs, and their return to the kernel. region_addresses.cpp manages the addresses.
#include "page_heap/region.h"

#include "base/bits.h"
#include "maintenance/tuning.h"
#include "page_heap/page_reserve.h"
#include "page_heap/region_section.h"

#include <algorithm>

namespace hotlane {

constinit uint64_t tick_ns = 1;

uint32_t Region::take(uint32_t pages, PageUse use, bool may_grow, std::span<PageRun> runs, RegionFailure* why,
                      MoreRuns* more) {
    HOTLANE_ASSERT(pages > 0 && pages <= kLongestRun);
    LockGuard guard(lock_);
    uint32_t taken = 0;
    for (PageRun& run : runs) {
        if (settings_.limit_bytes != 0 &&
            (used_pages_ + pages) * kRegionPageSize + outside_bytes_ > settings_.limit_bytes) {
            *why = RegionFailure::limit;
            break;
        }
        if (!take_run(pages, use, may_grow, &run)) {
            *why = !may_grow && flush_is_due() ? RegionFailure::would_grow : RegionFailure::no_region;
            break;
        }
        used_pages_ += pages;
        ++taken;
    }
    *why = taken != 0 ? RegionFailure::none : *why;
    if (more != nullptr && taken == runs.size() && !runs.back().fresh) {
        uint32_t found = 1;
        while (found != 0 && more->taken != more->runs.size()) {
            found = take_dirty(pages, more->runs.subspan(more->taken));
            more->taken += found;
        }
        used_pages_ += size_t{more->taken} * pages;
    }
    return taken;
}

bool Region::take_run(uint32_t pages, PageUse use, bool may_grow, PageRun* run) {
    if (take_dirty(pages, std::span(run, 1)) != 0) {
        return true;
    }
    if (!may_grow && flush_is_due()) {
        return false;
    }
    // If the region cannot grow, pages that are kept for the other use serve as well.
    return take_free(pages, use, run) || take_beyond_frontier(pages, use, run) ||
           take_free(pages, PageUse::any, run);
}

bool Region::flush_is_due() const {
    return tuning::flush_before_growth(fresh_since_flush_, used_pages_ + block_pages_);
}

void Region::count_fresh(size_t pages) {
    fresh_since_flush_ += pages;
    if (pages != 0 && flush_is_due()) {
        flush_is_due_.store(true, std::memory_order_relaxed);
    }
}

bool Region::growth_calls_for_flush() {
    if (!flush_is_due_.load(std::memory_order_relaxed)) {
        return false;
    }
    LockGuard guard(lock_);
    flush_is_due_.store(false, std::memory_order_relaxed);
    if (!flush_is_due()) {
        return false;
    }
    fresh_since_flush_ = 0;
    return true;
}

void Region::forget_growth() {
    LockGuard guard(lock_);
    fresh_since_flush_ = 0;
}

void Region::take_at(size_t section_index, uint32_t at, uint32_t pages, PageRun* run) {
    const uint32_t dirty = mark_taken(header(section_index), at, pages);
    count_fresh(pages - dirty);
    *run = {{static_cast<uint32_t>(section_index * kSectionPages + at)}, dirty == 0};
}

/// Takes runs of free pages all of which hold memory, one after the other. Returns how many, or 0 if there is none.
uint32_t Region::take_dirty(uint32_t pages, std::span<PageRun> runs) {
    if (free_dirty_pages_ < pages) {
        return 0;
    }
    while (header(first_dirty_section_).dirty_count == 0) {
        ++first_dirty_section_;
    }
    for (size_t s = first_dirty_section_; s < sections_ready_; ++s) {
        SectionHeader& h = header(s);
        if (h.longest_dirty < pages || h.dirty_count < pages) {
            continue;
        }
        const uint32_t at = find_run(h.dirty, kSectionPages, pages);
        lock_counts::note_copy(at / 8);
        if (at == kSectionPages) {
            h.longest_dirty = pages - 1;
            continue;
        }
        const auto most = static_cast<uint32_t>(std::min<size_t>(at + pages * runs.size(), kSectionPages));
        const uint32_t taken = (find_bit(h.dirty, at, most, false) - at) / pages;
        mark_taken(h, at, taken * pages);
        for (uint32_t i = 0; i != taken; ++i) {
            runs[i] = {{static_cast<uint32_t>(s * kSectionPages + at + size_t{i} * pages)}, false};
        }
        return taken;
    }
    return 0;
}

/// Whether a page may be made resident for this use. Before the region asks for 2-MiB pages, the uses share pages.
bool Region::suits(size_t section_index, uint32_t at, PageUse use) const {
    const bool is_huge = test_bit(header(section_index).huge, at / kHugePages);
    const bool is_shared = (section_index * kSectionPages + at) * kRegionPageSize < settings_.huge_from_bytes;
    return use == PageUse::any || (use == PageUse::small_objects ? is_huge || is_shared : !is_huge);
}

/// The first page of a free run for this use in the section, or kSectionPages if there is none.
uint32_t Region::find_suitable_run(size_t section_index, uint32_t pages, PageUse use) const {
    const SectionHeader& h = header(section_index);
    uint32_t at = h.first_free;
    while (at < kSectionPages) {
        const uint32_t free_end = find_bit(h.free, at, kSectionPages, false);
        const bool is_suitable = suits(section_index, at, use);
        auto end = static_cast<uint32_t>(round_down(at, kHugePages)) + kHugePages;
        while (end < free_end && suits(section_index, end, use) == is_suitable) {
            end += kHugePages;
        }
        end = std::min(end, free_end);
        if (is_suitable && end - at >= pages) {
            return at;
        }
        at = find_bit(h.free, end, kSectionPages, true);
    }
    return kSectionPages;
}

/// Takes free pages, whether they hold memory or not.
bool Region::take_free(uint32_t pages, PageUse use, PageRun* run) {
    if (free_pages_ < pages) {
        return false;
    }
    while (header(first_free_section_).free_count == 0) {
        ++first_free_section_;
    }
    for (size_t s = first_free_section_; s < sections_ready_; ++s) {
        SectionHeader& h = header(s);
        uint32_t& longest = h.longest_free[use == PageUse::large_objects ? 1 : 0];
        if (h.free_count < pages || (use != PageUse::any && longest < pages)) {
            continue;
        }
        h.first_free = find_bit(h.free, h.first_free, kSectionPages, true);
        if (const uint32_t at = find_suitable_run(s, pages, use); at < kSectionPages) {
            take_at(s, at, pages, run);
            return true;
        }
        longest = std::min(longest, pages - 1);
    }
    return false;
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

bool Region::take_beyond_frontier(uint32_t pages, PageUse use, PageRun* run) {
    if (frontier_ * kRegionPageSize >= settings_.huge_from_bytes) {
        for (const size_t huge_pages : {tuning::huge_pages_at_once(frontier_ / kHugePages), size_t{1}}) {
            if (add_pages_for(use, huge_pages)) {
                return take_free(pages, use, run);
            }
        }
    }
    size_t start = frontier_;
    const size_t section_left = kSectionPages - start % kSectionPages;
    if (section_left < pages) {
        start += section_left;
    }
    if (!make_ready(start, pages)) {
        return false;
    }
    mark_gap_free(start);
    frontier_ = start + pages;
    count_fresh(pages);
    *run = {{static_cast<uint32_t>(start)}, true};
    return true;
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

bool Region::take_outside(size_t bytes) {
    LockGuard guard(lock_);
    const size_t used = used_pages_ * kRegionPageSize + outside_bytes_;
    if (settings_.limit_bytes != 0 &&
        (used > settings_.limit_bytes || bytes > settings_.limit_bytes - used)) {
        return false;
    }
    outside_bytes_ += bytes;
    return true;
}

void Region::put_back_outside(size_t bytes) {
    LockGuard guard(lock_);
    outside_bytes_ -= bytes;
}

/// Fetches what put_back() will change, many lines at once, before the lock is taken.
void Region::prefetch(std::span<const PageIndex> runs) const {
    for (const PageIndex first : runs) {
        const SectionHeader& h = header(first.value / kSectionPages);
        const uint32_t at = first.value % kSectionPages;
        __builtin_prefetch(&h, 1);
        __builtin_prefetch(h.free + at / kBitsPerWord, 1);
        __builtin_prefetch(h.dirty + at / kBitsPerWord, 1);
        __builtin_prefetch(h.freed_at + at, 1);
        lock_counts::note_prefetch(&h);
        lock_counts::note_prefetch(h.free + at / kBitsPerWord);
        lock_counts::note_prefetch(h.dirty + at / kBitsPerWord);
        lock_counts::note_prefetch(h.freed_at + at);
    }
}

void Region::put_back(std::span<const PageIndex> runs, uint32_t pages, uint8_t now) {
    if (runs.empty()) {
        return;
    }
    prefetch(runs);
    LockGuard guard(lock_);
    used_pages_ -= runs.size() * pages;
    for (const PageIndex first : runs) {
        mark_free(first, pages, true, now);
    }
}

/// Counts the lines that a change of a page's state uses.
void Region::note_lines(const SectionHeader& h, uint32_t at) const {
    lock_counts::note_line(&free_pages_);
    lock_counts::note_line(&h);
    lock_counts::note_line(h.free + at / kBitsPerWord);
    lock_counts::note_line(h.dirty + at / kBitsPerWord);
}

uint32_t Region::mark_taken(SectionHeader& h, uint32_t at, uint32_t pages) {
    note_lines(h, at);
    const uint32_t dirty = count_bits(h.dirty, at, pages);
    set_bits(h.free, at, pages, false);
    set_bits(h.dirty, at, pages, false);
    h.free_count -= pages;
    h.dirty_count -= dirty;
    free_pages_ -= pages;
    free_dirty_pages_ -= dirty;
    note_dirty();
    return dirty;
}

/// The length of the run of set bits around a run, up to a little more than kLongestRun.
uint32_t Region::length_around(const uint64_t* bits, uint32_t at, uint32_t pages) {
    const uint32_t end = at + pages;
    return count_set_before(bits, at, kLongestRun) + pages +
           find_bit(bits, end, std::min(end + kLongestRun, kSectionPages), false) - end;
}

void Region::mark_free(PageIndex first, uint32_t pages, bool dirty, uint8_t now) {
    const size_t s = first.value / kSectionPages;
    const uint32_t at = first.value % kSectionPages;
    SectionHeader& h = header(s);
    note_lines(h, at);
    set_bits(h.free, at, pages, true);
    const uint32_t length = length_around(h.free, at, pages);
    for (uint32_t& longest : h.longest_free) {
        longest = std::max(longest, length);
    }
    h.free_count += pages;
    h.first_free = std::min(h.first_free, at);
    free_pages_ += pages;
    if (dirty) {
        set_bits(h.dirty, at, pages, true);
        h.longest_dirty = std::max(h.longest_dirty, length_around(h.dirty, at, pages));
        lock_counts::note_line(h.freed_at + at);
        std::fill_n(h.freed_at + at, pages, now);
        h.dirty_count += pages;
        free_dirty_pages_ += pages;
        note_dirty();
        first_dirty_section_ = std::min(first_dirty_section_, s);
    }
    first_free_section_ = std::min(first_free_section_, s);
}

size_t Region::first_of_free_end() const {
    size_t first = frontier_;
    while (first > lasting_pages_ && test_bit(header((first - 1) / kSectionPages).free,
                                              static_cast<uint32_t>((first - 1) % kSectionPages))) {
        --first;
    }
    return first;
}

void Region::give_back_end() {
    LockGuard guard(lock_);
    const size_t end = round_up(std::max(first_of_free_end(), lasting_pages_), os_page_pages_);
    if (reserved_pages_ <= end) {
        return;
    }
    while (frontier_ > end) {
        --frontier_;
        mark_taken(header(frontier_ / kSectionPages), static_cast<uint32_t>(frontier_ % kSectionPages), 1);
    }
    const size_t bytes = (reserved_pages_ - end) * kRegionPageSize;
    committed_pages_ = std::min(committed_pages_, end);
    reserved_pages_ = end;
    // A free() that has read the old limit still finds class entries, which are 0.
    publish_page_limit();
    os::unreserve(pointer_to(base_ + end * kRegionPageSize), bytes);
}

void Region::give_back_holes() {
    constexpr uint32_t kWorthIt = 1 * MiB / kRegionPageSize;
    LockGuard guard(lock_);
    for (size_t s = 0; s < sections_ready_; ++s) {
        SectionHeader& h = header(s);
        uint32_t at = find_bit(h.free, 0, kSectionPages, true);
        while (at < kSectionPages) {
            const uint32_t end = find_bit(h.free, at, kSectionPages, false);
            const auto first = static_cast<uint32_t>(round_up(at, os_page_pages_));
            const auto pages = static_cast<uint32_t>(round_down(end, os_page_pages_)) - first;
            if (end - at >= kWorthIt) {
                mark_taken(h, first, pages);
                lost_pages_ += pages;
                os::unreserve(address({static_cast<uint32_t>(s * kSectionPages + first)}),
                              size_t{pages} * kRegionPageSize);
            }
            at = find_bit(h.free, end, kSectionPages, true);
        }
    }
}

void Region::set_class_entry(PageIndex first, uint32_t pages, uint16_t value) {
    for (uint32_t i = 0; i < pages; ++i) {
        // free() reads the entry relaxed. The object that it frees left the depot, under the
        // depot's lock, after this store.
        store_relaxed(region_view.class_entry(first.value + i), value);
    }
}

RegionStats Region::stats() {
    LockGuard guard(lock_);
    RegionStats stats;
    stats.reserved_bytes = (reserved_pages_ - lost_pages_) * kRegionPageSize;
    stats.committed_bytes = (committed_pages_ - lost_pages_) * kRegionPageSize;
    const size_t reserved = std::min(page_reserves.pages(), used_pages_);
    stats.in_use_bytes = (used_pages_ - reserved) * kRegionPageSize;
    stats.free_dirty_bytes = (free_dirty_pages_ + reserved) * kRegionPageSize;
    stats.metadata_bytes = sections_ready_ * kSectionHeaderBytes +
                           frontier_ * (settings_.span_metadata_bytes + sizeof(uint16_t));
    stats.purges = purges_;
    stats.purged_bytes = purged_bytes_;
    return stats;
}

}  // namespace hotlane
