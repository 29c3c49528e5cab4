// SPDX-License-Identifier: MIT
//
// The region: one address range that grows in place, in pages of 16 KiB. It hands out runs of pages, takes
// them back and purges pages that have been free for a while. For every page it keeps the class entry, which
// free() reads without a lock, and room for the metadata of a span.
#pragma once

#include "base/atomic_access.h"
#include "base/base.h"
#include "platform/os.h"
#include "sync/lock.h"

#include <atomic>
#include <span>

namespace hotlane {

/// A page of the region, counted from its start.
struct PageIndex {
    uint32_t value;
    friend bool operator==(PageIndex, PageIndex) = default;
};

/// What the fast path reads, in one cache line. The memory around `base`:
///
///   ... slots of threads | class entry of every page | page 0 | page 1 | ...
///   <- more                                   more ->  ^ base        more ->
///
/// The class entries are reached from `base` by a displacement and an index, so they need no pointer of their own.
/// Each part is only as long as needed; the addresses between the parts are not hotlane's. Before the region is set
/// up, page_limit is 0.
struct alignas(64) RegionView {
    uintptr_t base;
    size_t page_limit;  // number of pages whose class entry may be read; all of them belong to the region
    // The limits of the fast path of C++'s operators: the same as for malloc and free, or 0 until it is known
    // that the program replaces none of the functions that the operators must call (preload/new.cpp).
    size_t operator_page_limit = 0;
    size_t operator_size_end = 0;

    /// The page an address lies in. A result >= page_limit means that the address is outside the region or
    /// not a multiple of 16: the rotation moves the low four bits to the top, so one comparison tests both.
    [[gnu::always_inline]] size_t page_of(const void* p) const {
        return std::rotr(address_of(p) - load_either(base), 4) >> (kRegionPageShift - 4);
    }
    /// The class entry of a page: SizeClasses::lane_of() of its class, or 0 for a page that is in no span.
    [[gnu::always_inline]] uint16_t& class_entry(size_t page) const {
        return static_cast<uint16_t*>(pointer_to(load_either(base) - kClassTableOffset))[page];
    }
    bool contains(const void* p) const {
        return ((address_of(p) - load_either(base)) >> kRegionPageShift) < load_either(page_limit);
    }

    static constexpr size_t kMostPages = 512 * GiB / kRegionPageSize;
    static constexpr size_t kClassTableOffset = kMostPages * sizeof(uint16_t);
};

HOTLANE_HIDDEN extern constinit RegionView region_view;

struct RegionStats {
    size_t reserved_bytes = 0;
    size_t committed_bytes = 0;
    size_t in_use_bytes = 0;
    size_t free_dirty_bytes = 0;
    size_t metadata_bytes = 0;
    uint64_t purges = 0;
    uint64_t purged_bytes = 0;
};

/// What a run of pages is for. Pages of small objects may become part of 2-MiB pages. A span of large objects leaves
/// parts of its pages untouched, which a 2-MiB page would make resident all the same.
enum class PageUse : uint8_t { small_objects, large_objects, any };

/// Adjacent pages that take() took. `fresh`: they are known to be zero.
struct PageRun {
    PageIndex first;
    bool fresh;
};

/// Further runs that take() may take, so that the next visits can be spared: of runs that hold memory, as many as there is
/// room for; of fresh ones, at most `most_fresh`, and only where they are adjacent.
struct MoreRuns {
    std::span<PageRun> runs;
    uint32_t most_fresh = 0;
    uint32_t taken = 0;
};

/// Why take() returned nothing.
enum class RegionFailure : uint8_t { none, limit, no_region, would_grow };

/// The length of a tick in nanoseconds. The age of free pages is counted in ticks of the clock, modulo 256.
extern constinit uint64_t tick_ns;
inline uint8_t tick_at(uint64_t now_ns) { return static_cast<uint8_t>(now_ns / tick_ns); }

/// Allocates page runs. Pages that hold memory come first, because to use them again costs less than to make others
/// resident; among equals, the lowest address comes first. The two uses share the pages that hold memory; the kernel is
/// asked for 2-MiB pages only where purged or new pages are taken for small objects. A run never crosses the border of a section of 4096
/// pages (64 MiB). Free neighbours merge because their bits are adjacent. Invariant: each page below the
/// frontier is in a span or a block, or its free bit is set, or it is being purged at this moment.
class Region {
  public:
    static constexpr uint32_t kSectionPages = 4096;
    static constexpr uint32_t kLongestRun = 64;
    static constexpr size_t kMostBlockAlignment = kHugePageSize;

    struct Settings {
        size_t largest_bytes = RegionView::kMostPages * kRegionPageSize;  // of address space
        size_t reserve_bytes = 0;                                         // of address space, at the start
        size_t limit_bytes = 0;                                           // of pages in use; 0: no limit
        size_t span_metadata_bytes = 0;                                   // per page
        size_t section_metadata_bytes = 0;                                // per section
        size_t huge_from_bytes = SIZE_MAX;  // ask for 2-MiB pages for small objects beyond this size
    };

    /// Finds a place where the region can grow, and reserves the wanted addresses, or as many as the system
    /// grants. Returns false if it grants none; then every take() fails.
    bool set_up(const Settings& settings);

    /// Takes up to `runs.size()` runs of `pages` adjacent pages (at most kLongestRun), which are readable and
    /// writable. If not `may_grow` and a flush before growth is due, takes only pages that hold memory. Returns how
    /// many runs it took; if none, sets `*why`. If it took all of them, it takes `more` runs that are like the last one:
    /// either fresh or not. The caller holds no lock of higher rank.
    uint32_t take(uint32_t pages, PageUse use, bool may_grow, std::span<PageRun> runs, RegionFailure* why,
                  MoreRuns* more = nullptr);
    /// Gives runs of `pages` pages back. `now` is the current tick, which purge() compares with.
    void put_back(std::span<const PageIndex> runs, uint32_t pages, uint8_t now);
    /// Gives back fresh runs that were never used.
    void put_back_unused(std::span<const PageIndex> runs, uint32_t pages);
    void put_back(PageIndex first, uint32_t pages, uint8_t now) {
        put_back(std::span(&first, 1), pages, now);
    }
    bool has_limit() const { return settings_.limit_bytes != 0; }

    /// Takes adjacent pages for a block of the fallback: at least `bytes`, at a multiple of `alignment`, which is at
    /// most kMostBlockAlignment. A block may cross borders of sections, and does not count against the limit. Sets
    /// `*fresh` if the memory is known to be zero. Null if there are no pages. O(pages of the region / 64), one lock.
    void* take_block(size_t bytes, size_t alignment, bool* fresh);
    /// The same for the `bytes` that begin at `end`, the end of a block. Returns false if they are not free.
    bool extend_block(void* end, size_t bytes, bool* fresh);
    /// Gives back `bytes` of one block or of adjacent ones. Both ends are multiples of kSmallestOsPage. A page becomes
    /// free when all of it came back.
    void put_back_block(void* p, size_t bytes, uint8_t now);
    /// Whether the page at `p`, an address of the region that is in no span, belongs to a block.
    bool holds_block(const void* p);

    /// Returns to the kernel the pages that have been free for at least `age` ticks (0: all free pages).
    /// Calls the kernel without holding the lock. Returns the number of bytes.
    size_t purge(uint8_t now, uint8_t age);
    /// The same for about `most_bytes`; each call of the kernel counts as kPurgeCallBytes more. The next call goes on in
    /// the section where this one stopped. Returns whether it stopped, so that there may be more.
    bool purge_some(uint8_t now, uint8_t age, size_t most_bytes);
    /// How many bytes the kernel purges in the time of a call, which interrupts the processors of other threads.
    static constexpr size_t kPurgeCallBytes = 64 * KiB;
    /// Returns free pages to the kernel, those with the highest addresses first, until the others that hold memory fit
    /// into tuning::dirty_budget(). The pages with the lowest addresses are the next to be taken.
    void purge_to_budget(uint8_t now);
    /// Called in each maintenance pass: the budget slowly forgets how much was in use.
    void forget_old_peak();

    /// Gives back the addresses of the pages at the end of the region that are free and were not reserved at
    /// the start. Pointers into them count as foreign from then on.
    void give_back_end();
    /// Gives back the addresses of all free stretches of 1 MiB or more, for ever. For a process with a limit on its
    /// addresses: a few objects at the end of the region would keep them all.
    void give_back_holes();

    /// Whether a purge of everything, with give_back_end(), may find something: whether memory came back here
    /// or to a higher tier, or addresses were taken, since the last forget_surplus(). Takes no lock.
    bool has_surplus() const { return surplus_.load(std::memory_order_relaxed); }
    void note_surplus() {
        if (!has_surplus()) {  // writes only if needed, so that the cache line stays shared
            surplus_.store(true, std::memory_order_relaxed);
        }
    }
    /// Ordered before the locks that the caller takes next. Pairs with note_surplus() under one of them.
    void forget_surplus() { surplus_.exchange(false, std::memory_order_seq_cst); }

    /// Returns `bytes` of zero memory for a thread's slots and records, aligned to an OS page. Null if there
    /// is none. It is never given back: threads recycle it.
    void* take_thread_memory(size_t bytes);

    void* address(PageIndex page) const { return pointer_to(base_ + size_t{page.value} * kRegionPageSize); }
    PageIndex page_containing(const void* p) const {
        return {static_cast<uint32_t>((address_of(p) - base_) >> kRegionPageShift)};
    }
    /// The metadata of a page: Settings::span_metadata_bytes bytes, zero at first.
    void* span_metadata(PageIndex page) const {
        return section(page.value / kSectionPages) + kSectionHeaderBytes +
               (page.value % kSectionPages) * settings_.span_metadata_bytes;
    }
    /// The metadata of a section: Settings::section_metadata_bytes bytes, zero at first.
    std::byte* section_metadata(size_t section_index) const {
        return section(section_index) + kSectionHeaderBytes + kSectionPages * settings_.span_metadata_bytes;
    }
    /// Counts memory that does not lie in the region against its limit. Returns false if the limit would be
    /// exceeded.
    [[nodiscard]] bool take_outside(size_t bytes);
    void put_back_outside(size_t bytes);
    void set_class_entry(PageIndex first, uint32_t pages, uint16_t value);

    /// Whether a flush before growth is due: whether enough pages became resident since the last time. Takes no lock if
    /// it is not.
    bool growth_calls_for_flush();
    /// What became resident until now does not call for a flush: a warm-up wants it.
    void forget_growth();
    /// Whether free pages hold memory, here or in the page reserves. Takes no lock, so the answer may be outdated.
    bool has_free_dirty_pages() const {
        return has_own_free_dirty_pages() || has_reserve_.load(std::memory_order_relaxed);
    }
    bool has_own_free_dirty_pages() const { return has_dirty_.load(std::memory_order_relaxed); }
    /// Whether there may be a run of free pages that hold memory.
    bool may_have_dirty_run(uint32_t pages) const {
        return pages <= longest_dirty_.load(std::memory_order_relaxed);
    }
    /// Whether the region ever needed more than the first MiB.
    bool has_grown() const { return has_grown_.load(std::memory_order_relaxed); }
    /// A page reserve has pages that hold memory; or all of them gave back what they had.
    void note_reserve() {
        if (!has_reserve_.load(std::memory_order_relaxed)) {
            has_reserve_.store(true, std::memory_order_relaxed);
        }
    }
    void forget_reserve() { has_reserve_.store(false, std::memory_order_relaxed); }
    RegionStats stats();
    Lock& lock() { return lock_; }

  private:
    struct RunBounds;
    struct SectionHeader;
    /// Adjacent pages of one section.
    struct SectionRun {
        uint32_t first;
        uint32_t pages;
    };
    static constexpr size_t kMostPurged = 16;
    static constexpr size_t kSectionHeaderBytes = 12 * KiB;

    std::byte* section(size_t index) const { return sections_ + index * section_bytes_; }
    SectionHeader& header(size_t index) const;
    bool settle_where_it_is_quiet(size_t pages);
    bool settle_anywhere(size_t bytes);
    bool reserve_anywhere(size_t bytes);
    void unreserve_all();
    Reservation claim(uintptr_t at, size_t bytes) const;
    bool grows_no_more(Reservation reserved);
    bool commit_section(size_t index);
    void publish_page_limit();
    size_t first_of_free_end() const;
    bool flush_is_due() const;
    void note_peak();
    void count_fresh(size_t pages);
    template <class Most>
    void purge_section(size_t section_index, uint8_t now, uint8_t age, Most most_pages);
    void purge_without_lock(size_t section_index, std::span<const SectionRun> runs, uint8_t now);
    uint32_t runs_within_limit(uint32_t pages, size_t runs) const;
    uint32_t take_runs(uint32_t pages, PageUse use, bool may_grow, std::span<PageRun> runs);
    uint32_t take_clean(uint32_t pages, PageUse use, std::span<PageRun> runs);
    static SectionRun run_around(const uint64_t* bits, uint32_t at, uint32_t pages);
    void take_more(uint32_t pages, PageUse use, bool fresh, MoreRuns* more);
    void take_at(size_t section_index, uint32_t at, uint32_t pages, std::span<PageRun> runs);
    uint32_t take_dirty(uint32_t pages, std::span<PageRun> runs);
    void prefetch(size_t page, size_t pages) const;
    uint32_t find_dirty(size_t section_index, uint32_t pages);
    size_t find_for_block(bool dirty, size_t pages, size_t alignment);
    static uint32_t find_stretch(const uint64_t* bits, RunBounds& bounds, uint32_t at, size_t pages);
    size_t count_free(size_t first, size_t end) const;
    bool grow_until(size_t end);
    void take_block_at(size_t first, size_t bytes, bool* fresh);
    void put_back_part(size_t page, uint32_t first_part, uint32_t end_part, uint8_t now);
    uint32_t take_free(uint32_t pages, PageUse use, std::span<PageRun> runs);
    bool suits(size_t section_index, uint32_t at, PageUse use) const;
    SectionRun find_suitable_run(size_t section_index, uint32_t pages, PageUse use) const;
    uint32_t take_beyond_frontier(uint32_t pages, PageUse use, std::span<PageRun> runs);
    bool add_pages_for(PageUse use, size_t huge_pages);
    bool make_ready(size_t start, size_t pages);
    void mark_gap_free(size_t start);
    bool reserve_pages_until(size_t page_end, bool at_least);
    bool commit_pages_until(size_t needed_end);
    void note_lines(const SectionHeader& h, uint32_t at, uint32_t pages) const;
    /// Marks free pages of a section as taken. Returns how many of them still held memory.
    uint32_t mark_taken(SectionHeader& h, uint32_t at, uint32_t pages);
    void mark_free(PageIndex first, uint32_t pages, bool dirty, uint8_t now);
    uint32_t purgeable_from(const SectionHeader& h, uint32_t* at, bool huge, uint8_t now, uint8_t age) const;
    void note_dirty() {
        if (has_dirty_.load(std::memory_order_relaxed) != (free_dirty_pages_ != 0)) {
            has_dirty_.store(free_dirty_pages_ != 0, std::memory_order_relaxed);
        }
    }
    /// Finds the next run in a section to purge and marks it as taken, or its first `most_pages`. Returns how many pages
    /// it took; 0: there is none.
    uint32_t take_purgeable(size_t section_index, uint32_t* from, uint8_t now, uint8_t age,
                            uint32_t most_pages);

    Settings settings_;
    uintptr_t base_ = 0;
    uintptr_t thread_memory_ = 0;    // lowest address of the threads' memory; more is taken below it
    std::byte* sections_ = nullptr;  // per section: header, then the spans' metadata
    size_t section_bytes_ = 0;
    uint32_t os_page_pages_ = 1;    // how many pages a page of the kernel has
    bool tables_reserved_ = false;  // sections and class entries are reserved for page_count_ pages
    size_t page_count_ = 0;         // the most pages that the region can have
    size_t reserved_pages_ = 0;     // pages whose addresses belong to the region, counted from base_
    size_t lasting_pages_ = 0;      // reserved pages that are never given back
    size_t lost_pages_ = 0;         // pages that give_back_holes() gave back
    size_t section_tables_ = 0;     // sections with committed metadata; class entries may still be missing
    size_t sections_ready_ = 0;     // sections whose metadata and class entries are committed
    size_t committed_pages_ = 0;    // readable and writable pages, counted from base_
    size_t frontier_ = 0;           // pages below it have been handed out or marked free
    size_t section_to_purge_ = 0;   // where purge_some() goes on
    size_t peak_pages_ = 0;         // the most pages of spans and blocks of late, as far as it was noticed
    size_t outside_bytes_ = 0;      // of take_outside()
    uint64_t purges_ = 0;
    uint64_t purged_bytes_ = 0;
    // What nearly every visit changes, in one cache line.
    alignas(64) Lock lock_{LockRank::region};
    size_t free_pages_ = 0;
    size_t free_dirty_pages_ = 0;
    size_t used_pages_ = 0;             // of spans
    size_t block_pages_ = 0;            // of blocks of the fallback
    size_t fresh_since_flush_ = 0;      // pages that became resident since the last flush before growth
    uint32_t first_free_section_ = 0;   // no section before it has free pages
    uint32_t first_dirty_section_ = 0;  // no section before it has dirty pages
    // No run of dirty pages is longer. If it is more than kLongestRun, runs may be much longer. Written under the lock.
    std::atomic<uint32_t> longest_dirty_{0};
    // Read by many slow paths without the lock and seldom changed, so they have a cache line of their own.
    alignas(64) std::atomic<bool> surplus_{false};
    std::atomic<bool> has_dirty_{false};     // free_dirty_pages_ is not 0
    std::atomic<bool> has_grown_{false};     // beyond what is committed first
    std::atomic<bool> has_reserve_{false};   // a page reserve may have pages
    std::atomic<bool> flush_is_due_{false};  // what flush_is_due() said when a page last became resident
};

extern constinit Region region;

}  // namespace hotlane
