// SPDX-License-Identifier: MIT
//
// Page reserves: a few free runs of pages for each domain of neighbouring processors, so that spans mostly open and
// close without the lock of the region.
#pragma once

#include "page_heap/region.h"

namespace hotlane {

/// Free runs, which come from the region and go back to it several at once. To the region they are in use; its statistics
/// count them as free. Each maintenance pass and each flush before growth gives all of them back, so that other domains,
/// the fallback and the purge find them. If the region has a limit, there are no reserves.
///
/// Most runs hold memory. Fresh ones are added when the region has no other runs of the length twice in succession; the
/// number doubles each time. They cost only addresses, and serve only as long as the region has no others.
///
/// Invariants: pages() and fresh_pages() are the sums of the lengths of the runs. Of each length there are at most
/// kMostPages pages, and the fresh runs are the oldest.
class alignas(64) PageReserve {
  public:
    static constexpr uint32_t kLongestRun = 8;
    static constexpr uint32_t kMostPages = 32;

    /// The same as Region::take(), but takes what the reserve has first.
    uint32_t take(uint32_t pages, PageUse use, bool may_grow, std::span<PageRun> runs, RegionFailure* why);
    /// Puts back runs of `pages` pages. `now` is the current tick.
    void put_back(uint32_t pages, std::span<const PageIndex> runs, uint8_t now);
    /// Gives everything back to the region.
    void give_back();

    /// How many pages hold memory, and how many are fresh. May be called without the lock; the answers may be outdated
    /// then.
    uint32_t pages() const { return load_relaxed(pages_); }
    uint32_t fresh_pages() const { return load_relaxed(fresh_pages_); }
    bool is_empty() const { return pages() + fresh_pages() == 0; }

  private:
    friend struct PageReserves;
    /// Runs of one length that a visit moves, without the lock. The fresh ones come first.
    struct Runs {
        PageIndex runs[kMostPages];
        uint32_t count = 0;
        uint32_t fresh = 0;

        void add(PageIndex run) { runs[count++] = run; }
        std::span<const PageIndex> all() const { return {runs, count}; }
    };
    static constexpr uint32_t most_runs(uint32_t pages) {
        return pages <= kLongestRun ? kMostPages / pages : 0;
    }
    uint32_t pop(uint32_t pages, PageUse use, std::span<PageRun> runs);
    void push(uint32_t pages, std::span<const PageIndex> runs, Runs& excess);
    void push_fresh(uint32_t pages, PageUse use, std::span<const PageIndex> runs);
    void add(uint32_t pages, std::span<const PageIndex> runs);
    void put_further(uint32_t pages, PageUse use, std::span<const PageRun> runs, bool grows);
    bool has_fresh_for_other_use(uint32_t pages, PageUse use) const;
    void return_to_region(uint32_t pages, const Runs& runs);
    void take_oldest(uint32_t pages, uint32_t runs, Runs& out);

    Lock lock_{LockRank::page_reserves};
    uint32_t pages_ = 0;
    uint32_t fresh_pages_ = 0;
    uint8_t freed_at_ = 0;              // the tick of the last put_back()
    uint8_t counts_[kLongestRun] = {};  // of the runs of 1, 2, ... pages
    uint8_t fresh_[kLongestRun] = {};   // how many of them are fresh
    // What they are for: the uses have 2-MiB pages of their own.
    std::atomic<PageUse> fresh_use_[kLongestRun] = {};
    uint8_t next_fresh_[kLongestRun] = {};  // how many fresh ones are added when the region grows next
    PageIndex runs_[kLongestRun][kMostPages] = {};
};

/// One for each domain.
struct PageReserves {
    static constexpr uint32_t kMost = 16;
    PageReserve reserves[kMost];

    PageReserve& operator[](uint32_t domain) { return reserves[domain]; }
    /// Gives back what all of them have. Holds one lock at a time.
    void give_back();
    /// How many pages all of them have. Takes no lock, so the answer may be outdated.
    struct Pages {
        size_t dirty = 0;
        size_t fresh = 0;
    };
    Pages pages() const;
    // For fork.
    void lock_all();
    void unlock_all();
};

extern constinit PageReserves page_reserves;

}  // namespace hotlane
