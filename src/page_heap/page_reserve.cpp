// SPDX-License-Identifier: MIT
//
// Runs of pages that come from the region and go back to it several at once.
#include "page_heap/page_reserve.h"

#include <algorithm>

namespace hotlane {

constinit PageReserves page_reserves;

uint32_t PageReserve::take(uint32_t pages, PageUse use, bool may_grow, std::span<PageRun> runs,
                           RegionFailure* why) {
    // Without pages that hold memory there is nothing to reserve. So a process that has freed little never touches a
    // reserve.
    if (most_runs(pages) == 0 || (this->pages() == 0 && !region.has_free_dirty_pages()) ||
        region.has_limit()) {
        return region.take(pages, use, may_grow, runs, why);
    }
    {
        LockGuard guard(lock_);
        if (const uint32_t taken = pop(pages, runs); taken != 0) {
            *why = RegionFailure::none;
            return taken;
        }
    }
    if (this->pages() != 0 && !region.has_own_free_dirty_pages()) {
        give_back();  // runs of other lengths may serve before the region grows
    }
    PageRun dirty[kMostPages];
    MoreRuns more{.runs = std::span(dirty, most_runs(pages) / 2), .taken = 0};
    const uint32_t taken = region.take(pages, use, may_grow, runs, why, &more);
    if (more.taken != 0) {
        // In the opposite order, so that the lowest addresses come out first.
        Runs found;
        while (more.taken != 0) {
            found.add(dirty[--more.taken].first);
        }
        Runs excess;
        {
            LockGuard guard(lock_);
            push(pages, found.all(), excess);
        }
        region.put_back(excess.all(), pages, load_relaxed(freed_at_));
    }
    return taken;
}

void PageReserve::put_back(uint32_t pages, std::span<const PageIndex> runs, uint8_t now) {
    const uint32_t most = region.has_limit() ? 0 : most_runs(pages);
    if (runs.size() > most) {
        region.put_back(runs.subspan(most), pages, now);
        runs = runs.first(most);
    }
    if (runs.empty()) {
        return;
    }
    Runs excess;
    {
        LockGuard guard(lock_);
        store_relaxed(freed_at_, now);
        push(pages, runs, excess);
        region.note_reserve();
    }
    region.put_back(excess.all(), pages, now);
}

void PageReserve::give_back() {
    for (uint32_t pages = 1; pages <= kLongestRun; ++pages) {
        Runs all;
        {
            LockGuard guard(lock_);
            take_oldest(pages, counts_[pages - 1], all);
        }
        region.put_back(all.all(), pages, load_relaxed(freed_at_));
    }
}

uint32_t PageReserve::pop(uint32_t pages, std::span<PageRun> runs) {
    uint8_t& count = counts_[pages - 1];
    const PageIndex* const end = runs_[pages - 1] + count;
    const auto taken = static_cast<uint32_t>(std::min<size_t>(count, runs.size()));
    for (uint32_t i = 0; i != taken; ++i) {
        runs[i] = {*(end - 1 - i), false};
        lock_counts::note_line(end - 1 - i);
    }
    count -= static_cast<uint8_t>(taken);
    store_relaxed(pages_, pages_ - taken * pages);
    return taken;
}

/// Makes room by moving at least half of the older runs to `excess`, so that most visits need not.
void PageReserve::push(uint32_t pages, std::span<const PageIndex> runs, Runs& excess) {
    const uint32_t most = most_runs(pages);
    uint8_t& count = counts_[pages - 1];
    if (count + runs.size() > most) {
        const auto needed = static_cast<uint32_t>(count + runs.size() - most);
        take_oldest(pages, std::max<uint32_t>(needed, count / 2U), excess);
    }
    PageIndex* const end = runs_[pages - 1] + count;
    std::copy(runs.begin(), runs.end(), end);
    lock_counts::note_line(end);
    lock_counts::note_line(end + runs.size() - 1);
    count += static_cast<uint8_t>(runs.size());
    store_relaxed(pages_, pages_ + pages * static_cast<uint32_t>(runs.size()));
}

void PageReserve::take_oldest(uint32_t pages, uint32_t runs, Runs& out) {
    PageIndex* const first = runs_[pages - 1];
    uint8_t& count = counts_[pages - 1];
    lock_counts::note_line(first);
    lock_counts::note_line(first + count);
    std::for_each_n(first, runs, [&out](PageIndex run) { out.add(run); });
    std::copy(first + runs, first + count, first);
    count -= static_cast<uint8_t>(runs);
    store_relaxed(pages_, pages_ - runs * pages);
}

void PageReserves::give_back() {
    // Before the locks: a put_back() that comes later notes it again.
    region.forget_reserve();
    for (PageReserve& reserve : reserves) {
        if (reserve.pages() != 0) {
            reserve.give_back();
        }
    }
}

size_t PageReserves::pages() const {
    size_t pages = 0;
    for (const PageReserve& reserve : reserves) {
        pages += reserve.pages();
    }
    return pages;
}

void PageReserves::lock_all() {
    for (PageReserve& reserve : reserves) {
        reserve.lock_.lock();
    }
}

void PageReserves::unlock_all() {
    for (PageReserve& reserve : reserves) {
        reserve.lock_.unlock();
    }
}

}  // namespace hotlane
