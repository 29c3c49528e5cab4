// SPDX-License-Identifier: MIT
//
// One address range that grows in place, in pages of 64 KiB: runs of pages go out and come back; old free
// ones are purged. Knows nothing of objects or threads. Keeps for every page its class byte and a place for
// its span's metadata. Called by depot, under its own lock; free() reads the view without one.
#pragma once

#include "base/base.h"
#include "platform/os.h"
#include "sync/lock.h"

#include <atomic>

namespace hotlane {

/// A page of the region, counted from its start.
struct PageIndex {
    uint32_t value;
    friend bool operator==(PageIndex, PageIndex) = default;
};

/// What the fast path needs to know, in one cache line. Around `base`:
///
///   ... slots of threads | class byte of every page | nullptr | page 0 | page 1 | ...
///   <- more                  more ->                -1        ^ base        more ->
///
/// Everything is reached from `base` by a displacement or an index, so that one load serves all. Each part is
/// as long as it has to be; what lies between them is not ours. Until the region is set up base[-1] is a
/// nullptr too, and no page may be asked for.
struct alignas(64) RegionView {
    void** base;
    size_t page_limit;  // pages whose class byte may be read: all of them are ours
    // What C++'s operators take on their hit path: as much as malloc and free, or nothing as long as it is
    // not known that the program replaces none of the functions that they must call (preload/new.cpp).
    size_t operator_page_limit = 0;
    size_t operator_size_end = 0;

    /// The page an address lies in, or a number >= page_limit: outside the region, or not a multiple of 16.
    /// The rotation moves the low four bits to the top, so that one comparison asks both questions.
    [[gnu::always_inline]] size_t page_of(const void* p) const {
        return std::rotr(address_of(p) - address_of(load_either(base)), 4) >> (kRegionPageShift - 4);
    }
    /// The class byte of a page: SizeClasses::lane_of its class, 0 for a page that is not in a span.
    [[gnu::always_inline]] uint8_t& class_byte(size_t page) const {
        return reinterpret_cast<uint8_t*>(
            load_either(base))[static_cast<ptrdiff_t>(page) - kClassTableOffset];
    }
    bool contains(const void* p) const {
        return ((address_of(p) - address_of(load_either(base))) >> kRegionPageShift) <
               load_either(page_limit);
    }

    static constexpr size_t kMostPages = size_t{1} << 23;  // 512 GiB
    static constexpr ptrdiff_t kClassTableOffset = kMostPages + kOsPageSize;
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

/// Why take() returned nothing.
enum class RegionFailure : uint8_t { none, limit, no_region, would_grow };

/// Page runs, first fit by lowest address. Runs never cross a section of 4096 pages (256 MiB); neighbours
/// merge by being adjacent bits. Invariant, for every page below the frontier: in a span, or its free bit is
/// set, or it is being purged at this moment.
class Region {
  public:
    static constexpr uint32_t kSectionPages = 4096;
    static constexpr uint32_t kLongestRun = 64;

    struct Settings {
        size_t largest_bytes = RegionView::kMostPages * kRegionPageSize;  // of address space
        size_t reserve_bytes = 0;                                         // of address space, at once
        size_t limit_bytes = 0;                                           // of pages in use; 0: none
        size_t span_metadata_bytes = 0;                                   // per page
        size_t huge_from_bytes = SIZE_MAX;  // ask for 2-MiB pages beyond this size
    };

    /// Finds a place in which the region can grow, and reserves what is wanted at once, or what the system
    /// grants of that. False: nothing at all could be had; then every take() fails.
    bool set_up(const Settings& settings);

    /// `pages` adjacent pages (at most kLongestRun), readable and writable. `*fresh` tells whether they are
    /// known to be zero. The caller holds no lock of higher rank.
    /// `may_grow`: pages that were never used may be taken when no free run is long enough.
    bool take(uint32_t pages, bool may_grow, PageIndex* first, bool* fresh, RegionFailure* why);
    /// Gives a run back. `now` is the tick count, for purge().
    void put_back(PageIndex first, uint32_t pages, uint8_t now);
    /// Returns to the kernel what has been free for at least `age` ticks (0: everything free). The kernel is
    /// called without the lock. Returns the number of bytes.
    size_t purge(uint8_t now, uint8_t age);

    /// Gives the addresses of the last pages back, if they are free and not of those reserved from the start.
    /// What was freed there once is foreign from then on.
    void give_back_end();

    /// Whether purging everything and giving the end back may find something, for one who asks without a
    /// lock: memory came back here or to a tier above, or addresses were taken, since that was last
    /// forgotten.
    bool has_surplus() const { return surplus_.load(std::memory_order_relaxed); }
    void note_surplus() {
        if (!has_surplus()) {  // else the line stays shared
            surplus_.store(true, std::memory_order_relaxed);
        }
    }
    /// Ordered before the locks that are taken next: pairs with note_surplus() under one of them.
    void forget_surplus() { surplus_.exchange(false, std::memory_order_seq_cst); }

    /// `bytes` of memory for a thread's slots (and what it keeps beside them), 2-KiB aligned, zero, at an
    /// index from region_view.base; null when there is none. Never given back: threads recycle.
    void* take_thread_memory(size_t bytes);

    void* address(PageIndex page) const { return pointer_to(base_ + size_t{page.value} * kRegionPageSize); }
    PageIndex page_containing(const void* p) const {
        return {static_cast<uint32_t>((address_of(p) - base_) >> kRegionPageShift)};
    }
    /// The metadata that belongs to a page, `span_metadata_bytes` of it, zero at first.
    void* span_metadata(PageIndex page) const {
        return section(page.value / kSectionPages) + kSectionHeaderBytes +
               (page.value % kSectionPages) * settings_.span_metadata_bytes;
    }
    void set_class_byte(PageIndex first, uint32_t pages, uint8_t value);

    /// Whether the region has grown enough since this last said so that it is worth looking for memory first.
    bool growth_calls_for_flush();
    bool has_free_dirty_pages();
    RegionStats stats();
    Lock& lock() { return lock_; }

  private:
    struct SectionHeader;
    static constexpr size_t kSectionHeaderBytes = 8 * KiB;

    std::byte* section(size_t index) const { return sections_ + index * section_bytes_; }
    SectionHeader& header(size_t index) const;
    bool settle_where_it_is_quiet(size_t pages);
    bool settle_anywhere(size_t bytes);
    bool reserve_anywhere(size_t bytes);
    bool commit_null();
    void unreserve_all();
    Reservation claim(uintptr_t at, size_t bytes) const;
    bool grows_no_more(Reservation reserved);
    bool commit_section(size_t index);
    void publish_page_limit();
    size_t first_of_free_end() const;
    bool take_free(uint32_t pages, PageIndex* first, bool* fresh);
    bool take_beyond_frontier(uint32_t pages, PageIndex* first);
    bool reserve_pages_until(size_t page_end, bool at_least);
    bool commit_pages_until(size_t page_end);
    /// Free pages of a section are free no more. Returns how many of them still held memory.
    uint32_t mark_taken(SectionHeader& h, uint32_t at, uint32_t pages);
    void mark_free(PageIndex first, uint32_t pages, bool dirty, uint8_t now);
    static uint32_t purgeable_from(const SectionHeader& h, uint32_t* at, bool huge, uint8_t now, uint8_t age);
    /// The next run in a section that purge() wants, marked as not free; 0: none.
    uint32_t take_purgeable(size_t section_index, uint32_t* from, uint8_t now, uint8_t age);

    Settings settings_;
    Lock lock_{LockRank::region};
    uintptr_t base_ = 0;
    uintptr_t thread_memory_ = 0;    // the lowest that a thread has; more is taken below
    std::byte* sections_ = nullptr;  // per section: header, then the spans' metadata
    size_t section_bytes_ = 0;
    bool tables_reserved_ = false;  // sections and class bytes, for all pages that there can be
    size_t page_count_ = 0;         // more there cannot be
    size_t reserved_pages_ = 0;     // ours, from the start
    size_t lasting_pages_ = 0;      // never given back
    size_t section_tables_ = 0;     // committed; the class bytes may be missing yet
    size_t sections_ready_ = 0;     // sections whose tables are committed
    size_t committed_pages_ = 0;    // readable and writable, from the start
    size_t frontier_ = 0;           // pages that were ever handed out
    size_t frontier_at_squeeze_ = 0;
    size_t first_free_section_ = 0;
    size_t free_pages_ = 0;
    size_t free_dirty_pages_ = 0;
    size_t used_pages_ = 0;
    uint64_t purges_ = 0;
    uint64_t purged_bytes_ = 0;
    std::atomic<bool> surplus_{false};
};

extern constinit Region region;

}  // namespace hotlane
