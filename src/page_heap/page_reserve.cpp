// SPDX-License-Identifier: MIT
//
// Runs of pages that come from the region and go back to it several at once.
#include "page_heap/page_reserve.h"

#include <algorithm>

namespace hotlane {

constinit PageReserves page_reserves;

uint32_t PageReserve::take(uint32_t pages, PageUse use, bool may_grow, std::span<PageRun> runs,
                           RegionFailure* why) {
    // A small process that has freed little never touches a reserve.
    const bool is_worth_it = region.has_grown() || region.has_free_dirty_pages() || !is_empty();
    if (most_runs(pages) == 0 || !is_worth_it || region.has_limit()) {
        return region.take(pages, use, may_grow, runs, why);
    }
    {
        LockGuard guard(lock_);
        if (const uint32_t taken = pop(pages, use, runs); taken != 0) {
            *why = RegionFailure::none;
            return taken;
        }
    }
    if (this->pages() != 0 && !region.has_own_free_dirty_pages()) {
        give_back();  // runs of other lengths may serve before the region grows
    }
    PageRun further[kMostPages];
    MoreRuns more{.runs = std::span(further, most_runs(pages) / 2),
                  .most_fresh =
                      has_fresh_for_other_use(pages, use) ? 0U : load_relaxed(next_fresh_[pages - 1])};
    const uint32_t taken = region.take(pages, use, may_grow, runs, why, &more);
    if (taken != 0) {
        put_further(pages, use, more.runs.first(more.taken), runs[taken - 1].fresh);
    }
    return taken;
}

/// Puts runs of the region into the reserve. `grows`: the region has no run of this length that holds memory.
void PageReserve::put_further(uint32_t pages, PageUse use, std::span<const PageRun> runs, bool grows) {
    const uint32_t next =
        grows ? std::min(2U * load_relaxed(next_fresh_[pages - 1]) + 1, most_runs(pages) / 2) : 0;
    store_relaxed(next_fresh_[pages - 1], static_cast<uint8_t>(next));
    // In the opposite order, so that the lowest addresses come out first.
    Runs found;
    Runs unused;
    for (size_t i = runs.size(); i != 0; --i) {
        (runs[i - 1].fresh ? unused : found).add(runs[i - 1].first);
    }
    Runs excess;
    if (!runs.empty()) {
        LockGuard guard(lock_);
        if (counts_[pages - 1] == 0) {
            push_fresh(pages, use, unused.all());
            unused.count = 0;
        }
        push(pages, found.all(), excess);
    }
    region.put_back_unused(unused.all(), pages);
    return_to_region(pages, excess);
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
    }
    return_to_region(pages, excess);
}

void PageReserve::give_back() {
    for (uint32_t pages = 1; pages <= kLongestRun; ++pages) {
        Runs all;
        {
            LockGuard guard(lock_);
            take_oldest(pages, counts_[pages - 1], all);
        }
        return_to_region(pages, all);
    }
}

void PageReserve::return_to_region(uint32_t pages, const Runs& runs) {
    region.put_back_unused(runs.all().first(runs.fresh), pages);
    region.put_back(runs.all().subspan(runs.fresh), pages, load_relaxed(freed_at_));
}

bool PageReserve::has_fresh_for_other_use(uint32_t pages, PageUse use) const {
    return load_relaxed(fresh_[pages - 1]) != 0 &&
           fresh_use_[pages - 1].load(std::memory_order_relaxed) != use;
}

/// Fresh runs come out last, for the use that they were taken for, and only if the region has none of this length that
/// holds memory.
uint32_t PageReserve::pop(uint32_t pages, PageUse use, std::span<PageRun> runs) {
    uint8_t& count = counts_[pages - 1];
    uint8_t& fresh = fresh_[pages - 1];
    const bool only_dirty = region.may_have_dirty_run(pages) || has_fresh_for_other_use(pages, use);
    const uint32_t available = only_dirty ? count - fresh : count;
    const auto taken = static_cast<uint32_t>(std::min<size_t>(available, runs.size()));
    uint32_t dirty = 0;
    for (uint32_t i = 0; i != taken; ++i) {
        const PageIndex& run = runs_[pages - 1][--count];
        lock_counts::note_line(&run);
        runs[i] = {run, count < fresh};
        dirty += count < fresh ? 0 : 1;
    }
    store_relaxed(fresh, std::min(fresh, count));
    store_relaxed(pages_, pages_ - dirty * pages);
    store_relaxed(fresh_pages_, fresh_pages_ - (taken - dirty) * pages);
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
    if (!runs.empty()) {
        region.note_reserve();
    }
    add(pages, runs);
    store_relaxed(pages_, pages_ + pages * static_cast<uint32_t>(runs.size()));
}

/// There is no other run of this length.
void PageReserve::push_fresh(uint32_t pages, PageUse use, std::span<const PageIndex> runs) {
    add(pages, runs);
    fresh_use_[pages - 1].store(use, std::memory_order_relaxed);
    store_relaxed(fresh_[pages - 1], counts_[pages - 1]);
    store_relaxed(fresh_pages_, fresh_pages_ + pages * static_cast<uint32_t>(runs.size()));
}

void PageReserve::add(uint32_t pages, std::span<const PageIndex> runs) {
    if (!runs.empty()) {
        PageIndex* const end = runs_[pages - 1] + counts_[pages - 1];
        std::copy(runs.begin(), runs.end(), end);
        lock_counts::note_line(end);
        lock_counts::note_line(end + runs.size() - 1);
        counts_[pages - 1] += static_cast<uint8_t>(runs.size());
    }
}

void PageReserve::take_oldest(uint32_t pages, uint32_t runs, Runs& out) {
    PageIndex* const first = runs_[pages - 1];
    uint8_t& count = counts_[pages - 1];
    uint8_t& fresh = fresh_[pages - 1];
    if (runs == 0) {
        return;
    }
    lock_counts::note_line(first);
    lock_counts::note_line(first + count);
    std::for_each_n(first, runs, [&out](PageIndex run) { out.add(run); });
    std::copy(first + runs, first + count, first);
    out.fresh = std::min<uint32_t>(runs, fresh);
    count -= static_cast<uint8_t>(runs);
    store_relaxed(fresh, static_cast<uint8_t>(fresh - out.fresh));
    store_relaxed(pages_, pages_ - (runs - out.fresh) * pages);
    store_relaxed(fresh_pages_, fresh_pages_ - out.fresh * pages);
}

void PageReserves::give_back() {
    // Before the locks: a put_back() that comes later notes it again.
    region.forget_reserve();
    for (PageReserve& reserve : reserves) {
        if (!reserve.is_empty()) {
            reserve.give_back();
        }
    }
}

PageReserves::Pages PageReserves::pages() const {
    Pages pages;
    for (const PageReserve& reserve : reserves) {
        pages.dirty += reserve.pages();
        pages.fresh += reserve.fresh_pages();
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
