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

/// Purges runs of a section, which are taken and come back several in one visit. `most_pages(pages)` tells how many pages
/// the next run may have, 0 if there shall be none. It is called with the length of the last one, at first with 0.
template <class Most>
void Region::purge_section(size_t section_index, uint8_t now, uint8_t age, Most most_pages) {
    uint32_t at = header(section_index).dirty_count == 0 ? kSectionPages : 0;
    uint32_t most = most_pages(0);
    while (at != kSectionPages && most != 0) {
        SectionRun runs[kMostPurged];
        size_t count = 0;
        while (count != kMostPurged && at != kSectionPages && most != 0) {
            const uint32_t pages = take_purgeable(section_index, &at, now, age, most);
            if (pages != 0) {
                runs[count++] = {at, pages};
                at += pages;
                most = most_pages(pages);
            }
        }
        purge_without_lock(section_index, std::span(runs, count), now);
    }
}

/// Purges runs that were taken without the lock, which the caller holds, and gives them back.
void Region::purge_without_lock(size_t section_index, std::span<const SectionRun> runs, uint8_t now) {
    if (runs.empty()) {
        return;
    }
    const auto page_of = [&](const SectionRun& run) {
        return PageIndex{static_cast<uint32_t>(section_index * kSectionPages + run.first)};
    };
    bool purged[kMostPurged];
    lock_.unlock();
    std::ranges::transform(runs, purged, [&](const SectionRun& run) {
        return os::purge(address(page_of(run)), size_t{run.pages} * kRegionPageSize);
    });
    lock_.lock();
    for (size_t i = 0; i != runs.size(); ++i) {
        mark_free(page_of(runs[i]), runs[i].pages, !purged[i], now);
        purged_bytes_ += purged[i] ? size_t{runs[i].pages} * kRegionPageSize : 0;
        purges_ += purged[i];
    }
}

size_t Region::purge(uint8_t now, uint8_t age) {
    LockGuard guard(lock_);
    const uint64_t before = purged_bytes_;
    for (size_t s = 0; s < sections_ready_; ++s) {
        purge_section(s, now, age, [](uint32_t) { return kSectionPages; });
    }
    return purged_bytes_ - before;
}

bool Region::purge_some(uint8_t now, uint8_t age, size_t most_bytes) {
    size_t spent = 0;
    const auto most_pages = [&](uint32_t pages) {
        spent += pages == 0 ? 0 : pages * kRegionPageSize + kPurgeCallBytes;
        // Whole 2-MiB pages, so that the rest of a run can be purged as the run could.
        const size_t left =
            std::min(most_bytes - std::min(spent, most_bytes), kSectionPages * kRegionPageSize);
        return static_cast<uint32_t>(divide_up(left, kHugePageSize) * kHugePages);
    };
    LockGuard guard(lock_);
    const size_t first = std::exchange(section_to_purge_, 0);
    for (size_t n = 0; n < sections_ready_; ++n) {
        const size_t s = (first + n) % sections_ready_;
        purge_section(s, now, age, most_pages);
        if (spent >= most_bytes) {
            section_to_purge_ = s;
            return true;
        }
    }
    return false;
}

void Region::note_peak() { peak_pages_ = std::max(peak_pages_, used_pages_ + block_pages_); }

void Region::forget_old_peak() {
    LockGuard guard(lock_);
    note_peak();
    peak_pages_ -= (peak_pages_ - used_pages_ - block_pages_) / 8;
}

void Region::purge_to_budget(uint8_t now) {
    LockGuard guard(lock_);
    const auto most_pages = [this](uint32_t) {
        note_peak();
        return free_dirty_pages_ > tuning::dirty_budget(used_pages_, block_pages_, peak_pages_)
                   ? kSectionPages
                   : 0;
    };
    for (size_t s = sections_ready_; s != 0 && most_pages(0) != 0; --s) {
        purge_section(s - 1, now, 0, most_pages);
    }
}

}  // namespace hotlane
