// SPDX-License-Identifier: MIT
//
// The region's free pages that hold memory go back to the kernel.
#include "base/bits.h"
#include "maintenance/tuning.h"
#include "page_heap/region.h"
#include "page_heap/region_section.h"

#include <algorithm>
#include <utility>

namespace hotlane {

/// Returns the end of the run that may be purged. It begins at `*at`, a dirty page, or at the start of the
/// 2-MiB page around it; then `*at` is changed. If no run may be purged, returns `*at`, which is then the last page that
/// need not be tried.
uint32_t Region::purgeable_from(const SectionHeader& h, uint32_t* at, bool huge, uint8_t now,
                                uint8_t age) const {
    const auto run_end = [&](uint32_t i, uint32_t end, uint8_t least_age, bool clean_too) {
        while (i < end && (test_bit(h.dirty, i) ? static_cast<uint8_t>(now - h.freed_at[i]) >= least_age
                                                : clean_too && test_bit(h.free, i))) {
            ++i;
        }
        return i;
    };
    // Of the kernel's pages, which may be larger than ours, only whole ones are purged.
    const auto whole_until = [&](uint32_t end, uint32_t unit, uint8_t least_age) {
        const auto first = static_cast<uint32_t>(round_down(*at, unit));
        const auto whole_end =
            static_cast<uint32_t>(round_down(run_end(first, end, least_age, unit != 1), unit));
        *at = whole_end > first ? first : *at;
        return std::max(whole_end, *at);
    };
    if (!huge || age == 0) {
        return whole_until(kSectionPages, os_page_pages_, age);
    }
    // The kernel was asked for 2-MiB pages here: purge whole ones, or the free part of a hardly used one.
    const auto first = static_cast<uint32_t>(round_down(*at, kHugePages));
    if (const uint32_t end = whole_until(kSectionPages, kHugePages, age); end > *at) {
        return end;
    }
    if (tuning::worth_splitting(count_bits(h.free, first, kHugePages), kHugePages)) {
        return whole_until(first + kHugePages, os_page_pages_, tuning::splitting_age(age));
    }
    *at = first + kHugePages - 1;
    return *at;
}

uint32_t Region::take_purgeable(size_t section_index, uint32_t* from, uint8_t now, uint8_t age,
                                uint32_t most_pages) {
    SectionHeader& h = header(section_index);
    uint32_t at = find_bit(h.dirty, *from, kSectionPages, true);
    for (; at < kSectionPages; at = find_bit(h.dirty, at + 1, kSectionPages, true)) {
        const bool huge = test_bit(h.huge, at / kHugePages);
        uint32_t start = at;
        const uint32_t end = purgeable_from(h, &start, huge, now, age);
        if (start < end) {
            const uint32_t pages = std::min(end - start, most_pages);
            mark_taken(h, start, pages);
            *from = start;
            return pages;
        }
        at = start;
    }
    *from = kSectionPages;
    return 0;
}

/// Purges the next run of a section, or its first `most_pages`, without the lock, which the caller holds. Returns how many
/// pages that were; 0: there is none.
uint32_t Region::purge_next_run(size_t section_index, uint32_t* from, uint8_t now, uint8_t age,
                                uint32_t most_pages) {
    const uint32_t pages =
        *from < kSectionPages ? take_purgeable(section_index, from, now, age, most_pages) : 0;
    if (pages == 0) {
        return 0;
    }
    const PageIndex first{static_cast<uint32_t>(section_index * kSectionPages + *from)};
    const size_t bytes = size_t{pages} * kRegionPageSize;
    lock_.unlock();
    const bool purged = os::purge(address(first), bytes);
    lock_.lock();
    mark_free(first, pages, !purged, now);
    purged_bytes_ += purged ? bytes : 0;
    purges_ += purged;
    *from += pages;
    return pages;
}

size_t Region::purge(uint8_t now, uint8_t age) {
    LockGuard guard(lock_);
    const uint64_t before = purged_bytes_;
    for (size_t s = 0; s < sections_ready_; ++s) {
        uint32_t at = header(s).dirty_count == 0 ? kSectionPages : 0;
        while (purge_next_run(s, &at, now, age) != 0) {
        }
    }
    return purged_bytes_ - before;
}

bool Region::purge_some(uint8_t now, uint8_t age, size_t most_bytes) {
    size_t spent = 0;
    // Whole 2-MiB pages, so that the rest of a run can be purged as the run could.
    const auto most_pages = [&] {
        const size_t left = std::min(most_bytes - spent, kSectionPages * kRegionPageSize);
        return static_cast<uint32_t>(divide_up(left, kHugePageSize) * kHugePages);
    };
    LockGuard guard(lock_);
    const size_t first = std::exchange(section_to_purge_, 0);
    for (size_t n = 0; n < sections_ready_; ++n) {
        const size_t s = (first + n) % sections_ready_;
        uint32_t at = header(s).dirty_count == 0 ? kSectionPages : 0;
        while (const uint32_t pages = purge_next_run(s, &at, now, age, most_pages())) {
            spent += pages * kRegionPageSize + kPurgeCallBytes;
            if (spent >= most_bytes) {
                section_to_purge_ = s;
                return true;
            }
        }
    }
    return false;
}

void Region::purge_to_budget(uint8_t now) {
    LockGuard guard(lock_);
    const auto exceeds = [this] {
        return free_dirty_pages_ > tuning::dirty_budget(used_pages_, block_pages_);
    };
    for (size_t s = sections_ready_; s != 0 && exceeds(); --s) {
        uint32_t at = header(s - 1).dirty_count == 0 ? kSectionPages : 0;
        while (exceeds() && purge_next_run(s - 1, &at, now, 0) != 0) {
        }
    }
}

}  // namespace hotlane
