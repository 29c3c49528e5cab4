// SPDX-License-Identifier: MIT
//
// Page runs are taken and come back. region_search.cpp finds them, region_purge.cpp returns their memory to the kernel, and
// region_addresses.cpp manages the addresses.
#include "page_heap/region.h"

#include "base/bits.h"
#include "maintenance/tuning.h"
#include "page_heap/page_reserve.h"
#include "page_heap/region_section.h"

#include <algorithm>

namespace hotlane {

HOTLANE_DATA_OF_EVERY_PROCESS constinit uint64_t tick_ns = 1;

uint32_t Region::take(uint32_t pages, PageUse use, bool may_grow, std::span<PageRun> runs, RegionFailure* why,
                      MoreRuns* more) {
    HOTLANE_ASSERT(pages > 0 && pages <= kLongestRun);
    LockGuard guard(lock_);
    const std::span allowed = runs.first(runs_within_limit(pages, runs.size()));
    uint32_t taken = 0;
    while (taken != allowed.size()) {
        const uint32_t found = take_runs(pages, use, may_grow, allowed.subspan(taken));
        if (found == 0) {
            break;
        }
        used_pages_ += size_t{found} * pages;
        taken += found;
    }
    if (taken != 0) {
        *why = RegionFailure::none;
    } else if (allowed.empty()) {
        *why = RegionFailure::limit;
    } else {
        *why = !may_grow && flush_is_due() ? RegionFailure::would_grow : RegionFailure::no_region;
    }
    if (more != nullptr && taken == runs.size()) {
        take_more(pages, use, runs.back().fresh, more);
    }
    return taken;
}

/// How many of the wanted runs the limit allows.
uint32_t Region::runs_within_limit(uint32_t pages, size_t runs) const {
    if (settings_.limit_bytes != 0) {
        const size_t used = used_pages_ * kRegionPageSize + outside_bytes_;
        const size_t left = settings_.limit_bytes - std::min(used, settings_.limit_bytes);
        runs = std::min(runs, left / (pages * kRegionPageSize));
    }
    return static_cast<uint32_t>(runs);
}

/// Takes some of the runs. Returns how many, or 0 if there are none.
uint32_t Region::take_runs(uint32_t pages, PageUse use, bool may_grow, std::span<PageRun> runs) {
    if (const uint32_t taken = take_dirty(pages, runs); taken != 0) {
        return taken;
    }
    return !may_grow && flush_is_due() ? 0 : take_clean(pages, use, runs);
}

/// The same, when no run of dirty pages is long enough.
uint32_t Region::take_clean(uint32_t pages, PageUse use, std::span<PageRun> runs) {
    uint32_t taken = take_free(pages, use, runs);
    if (taken == 0) {
        taken = take_beyond_frontier(pages, use, runs);
    }
    // If the region cannot grow, pages that are kept for the other use serve as well.
    return taken != 0 ? taken : take_free(pages, PageUse::any, runs);
}

void Region::take_more(uint32_t pages, PageUse use, bool fresh, MoreRuns* more) {
    if (fresh) {
        const std::span wanted = more->runs.first(std::min<size_t>(more->runs.size(), more->most_fresh));
        more->taken = wanted.empty() || flush_is_due() ? 0 : take_clean(pages, use, wanted);
    } else {
        uint32_t found = 1;
        while (found != 0 && more->taken != more->runs.size()) {
            found = take_dirty(pages, more->runs.subspan(more->taken));
            more->taken += found;
        }
    }
    used_pages_ += size_t{more->taken} * pages;
}

bool Region::flush_is_due() const {
    return tuning::flush_before_growth(fresh_since_flush_, used_pages_ + block_pages_);
}

void Region::count_fresh(size_t pages) {
    fresh_since_flush_ += pages;
    note_peak();
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

/// Fetches what a return of the pages will change, many lines at once, before the lock is taken.
void Region::prefetch(size_t page, size_t pages) const {
    constexpr size_t kMostPages = 128;  // the processor fetches what comes after them ahead
    const SectionHeader& h = header(page / kSectionPages);
    const size_t at = page % kSectionPages;
    const auto fetch = [](const void* p) {
        __builtin_prefetch(p, 1);
        lock_counts::note_prefetch(p);
    };
    fetch(&h);
    const size_t end = std::min(at + std::min(pages, kMostPages), size_t{kSectionPages});
    for (const size_t i : {at, end - 1}) {
        fetch(h.free + i / kBitsPerWord);
        fetch(h.dirty + i / kBitsPerWord);
    }
    for (size_t i = round_down(at, 64); i < end; i += 64) {
        fetch(h.freed_at + i);
    }
}

void Region::put_back(std::span<const PageIndex> runs, uint32_t pages, uint8_t now) {
    if (runs.empty()) {
        return;
    }
    for (const PageIndex first : runs) {
        prefetch(first.value, pages);
    }
    LockGuard guard(lock_);
    used_pages_ -= runs.size() * pages;
    for (const PageIndex first : runs) {
        mark_free(first, pages, true, now);
    }
}

void Region::put_back_unused(std::span<const PageIndex> runs, uint32_t pages) {
    if (runs.empty()) {
        return;
    }
    LockGuard guard(lock_);
    used_pages_ -= runs.size() * pages;
    for (const PageIndex first : runs) {
        mark_free(first, pages, false, 0);
    }
}

/// Counts the lines that a change of the state of pages uses.
void Region::note_lines(const SectionHeader& h, uint32_t at, uint32_t pages) const {
    lock_counts::note_line(&free_pages_);
    lock_counts::note_line(&h);
    constexpr uint32_t kPagesOfLine = 8 * 64;
    for (uint32_t i = round_down(at, kPagesOfLine); i < at + pages; i += kPagesOfLine) {
        lock_counts::note_line(h.free + i / kBitsPerWord);
        lock_counts::note_line(h.dirty + i / kBitsPerWord);
    }
}

uint32_t Region::mark_taken(SectionHeader& h, uint32_t at, uint32_t pages) {
    note_lines(h, at, pages);
    const uint32_t dirty = count_bits(h.dirty, at, pages);
    set_bits(h.free, at, pages, false);
    set_bits(h.dirty, at, pages, false);
    h.free_count = static_cast<uint16_t>(h.free_count - pages);
    h.dirty_count = static_cast<uint16_t>(h.dirty_count - dirty);
    free_pages_ -= pages;
    free_dirty_pages_ -= dirty;
    note_dirty();
    return dirty;
}

/// The run of set bits around a run: at least kLongestRun bits to each side, if so many are set.
Region::SectionRun Region::run_around(const uint64_t* bits, uint32_t at, uint32_t pages) {
    const uint32_t first = at - count_set_before(bits, at, kLongestRun);
    const uint32_t end = at + pages;
    return {first, find_bit(bits, end, std::min(end + kLongestRun, kSectionPages), false) - first};
}

void Region::mark_free(PageIndex first, uint32_t pages, bool dirty, uint8_t now) {
    const uint32_t s = first.value / kSectionPages;
    const uint32_t at = first.value % kSectionPages;
    SectionHeader& h = header(s);
    note_lines(h, at, pages);
    set_bits(h.free, at, pages, true);
    const SectionRun around = run_around(h.free, at, pages);
    for (RunBounds& bounds : h.free_runs) {
        bounds.note_run(around.first, around.pages);
    }
    h.free_count = static_cast<uint16_t>(h.free_count + pages);
    free_pages_ += pages;
    first_free_section_ = std::min(first_free_section_, s);
    if (!dirty) {
        return;
    }
    set_bits(h.dirty, at, pages, true);
    const SectionRun dirty_around = run_around(h.dirty, at, pages);
    h.dirty_runs.note_run(dirty_around.first, dirty_around.pages);
    for (uint32_t i = at; i < at + pages; i += 64) {
        lock_counts::note_line(h.freed_at + i);
    }
    std::fill_n(h.freed_at + at, pages, now);
    h.dirty_count = static_cast<uint16_t>(h.dirty_count + pages);
    free_dirty_pages_ += pages;
    note_dirty();
    if (!may_have_dirty_run(dirty_around.pages)) {
        longest_dirty_.store(dirty_around.pages, std::memory_order_relaxed);
    }
    first_dirty_section_ = std::min(first_dirty_section_, s);
}

/// The first of the free pages right before the frontier, or the frontier.
size_t Region::first_of_free_end() const {
    size_t first = frontier_;
    bool may_go_on = true;
    while (first != 0 && may_go_on) {
        const auto in_section = static_cast<uint32_t>((first - 1) % kSectionPages) + 1;
        const uint32_t pages =
            count_set_before(header((first - 1) / kSectionPages).free, in_section, in_section);
        first -= pages;
        may_go_on = pages == in_section;
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
    const auto [dirty, fresh] = page_reserves.pages();
    stats.in_use_bytes = (used_pages_ - std::min(dirty + fresh, used_pages_)) * kRegionPageSize;
    stats.free_dirty_bytes = (free_dirty_pages_ + dirty) * kRegionPageSize;
    stats.metadata_bytes = sections_ready_ * kSectionHeaderBytes +
                           frontier_ * (settings_.span_metadata_bytes + sizeof(uint16_t) +
                                        settings_.section_metadata_bytes / kSectionPages);
    stats.purges = purges_;
    stats.purged_bytes = purged_bytes_;
    return stats;
}

}  // namespace hotlane
