// SPDX-License-Identifier: MIT
//
// Chooses the addresses of the region and lets it grow in place. Everything but
// set_up() runs under the region's lock.
#include "page_heap/region.h"
#include "platform/quiet_addresses.h"

#include <algorithm>

namespace hotlane {

constinit RegionView region_view{.base = 0, .page_limit = 0};
HOTLANE_DATA_OF_EVERY_PROCESS constinit Region region;

namespace {

constexpr size_t kFirstCommitPages =
    1 * MiB / kRegionPageSize;  // a small program needs no second system call
constexpr size_t kLargestCommitPages = 32 * MiB / kRegionPageSize;
constexpr size_t kFewestPages = 1 * MiB / kRegionPageSize;  // with fewer of them there is no region
constexpr size_t kWithoutGrowthBytes = 16 * GiB;  // reserved at once if the region cannot choose its place

}  // namespace

bool Region::set_up(const Settings& settings) {
    settings_ = settings;
    section_bytes_ = round_up(kSectionHeaderBytes + kSectionPages * settings.span_metadata_bytes +
                                  settings.section_metadata_bytes,
                              os::page_size());
    os_page_pages_ = static_cast<uint32_t>(divide_up(os::page_size(), kRegionPageSize));
    page_count_ = round_down(settings.largest_bytes / kRegionPageSize, os_page_pages_);
    const size_t wanted = std::min(divide_up(settings.reserve_bytes, kRegionPageSize), page_count_);
    if (!settle_where_it_is_quiet(std::max(wanted, kFewestPages)) &&
        !settle_anywhere(std::max(wanted * kRegionPageSize, kWithoutGrowthBytes))) {
        page_count_ = reserved_pages_ = 0;
        thread_memory_ = 0;
        return false;
    }
    lasting_pages_ = reserved_pages_;
    // Pairs with load_either(region_view.base) and the accesses to addresses computed from it.
    store_release(region_view.base, base_);
    return true;
}

/// Places the region where the kernel puts no mappings by itself (quiet_addresses.h). Little is reserved now;
/// the addresses after it will most likely still be free when they are needed.
bool Region::settle_where_it_is_quiet(size_t pages) {
    constexpr int kPlaces = 3;
    constexpr size_t kThreadRoom = 8 * GiB;
    constexpr size_t kRoomBelow = kThreadRoom + round_up(RegionView::kClassTableOffset, kHugePageSize);
    constexpr size_t kRoomAbove = (RegionView::kMostPages + kSectionPages) * kRegionPageSize;
    const size_t tables = RegionView::kMostPages / kSectionPages * section_bytes_;
    Reservation reserved = Reservation::occupied;
    for (int place = 0; place < kPlaces && reserved == Reservation::occupied; ++place) {
        base_ = quiet_address(kRoomBelow + kRoomAbove + tables) + kRoomBelow;
        reserved = Reservation::refused;
        for (size_t count = pages; count >= kFewestPages && reserved == Reservation::refused; count /= 2) {
            reserved_pages_ = round_up(count, os_page_pages_);
            reserved = os::reserve_at(base_, reserved_pages_ * kRegionPageSize);
        }
    }
    thread_memory_ = base_ - RegionView::kClassTableOffset;
    sections_ = static_cast<std::byte*>(pointer_to(base_ + kRoomAbove));
    return reserved == Reservation::granted;
}

/// For systems that choose the place of mappings themselves: reserves `bytes`, or half of what the system
/// grants, because the program needs addresses, too.
bool Region::settle_anywhere(size_t bytes) {
    tables_reserved_ = true;
    const size_t most = std::min(bytes, page_count_ * kRegionPageSize);
    for (size_t granted = most; granted >= kFewestPages * kRegionPageSize; granted /= 2) {
        if (!reserve_anywhere(granted)) {
            continue;
        }
        if (granted == most) {
            return true;
        }
        unreserve_all();
        if (reserve_anywhere(std::max(granted / 2, kFewestPages * kRegionPageSize))) {
            return true;
        }
    }
    return false;
}

bool Region::reserve_anywhere(size_t bytes) {
    const size_t tables = divide_up(bytes / kRegionPageSize, kSectionPages) * section_bytes_;
    constexpr size_t kPrefix = round_up(RegionView::kClassTableOffset, kHugePageSize);
    void* start = os::reserve(kPrefix + bytes, kHugePageSize);
    if (start == nullptr) {
        return false;
    }
    void* sections = os::reserve(tables, os::page_size());
    if (sections == nullptr) {
        os::unreserve(start, kPrefix + bytes);
        return false;
    }
    base_ = address_of(start) + kPrefix;
    thread_memory_ = address_of(start);
    sections_ = static_cast<std::byte*>(sections);
    page_count_ = reserved_pages_ = round_down(bytes / kRegionPageSize, os_page_pages_);
    return true;
}

/// Commits the nullptr before the first page, which threads that are not set up pop.
void Region::unreserve_all() {
    const size_t before = tables_reserved_ ? base_ - thread_memory_ : 0;
    os::unreserve(pointer_to(base_ - before), before + reserved_pages_ * kRegionPageSize);
    if (tables_reserved_) {
        os::unreserve(sections_, divide_up(reserved_pages_, kSectionPages) * section_bytes_);
    }
}

/// Reserves, if needed, and commits a part of the tables that was not used before.
Reservation Region::claim(uintptr_t at, size_t bytes) const {
    const Reservation reserved = tables_reserved_ ? Reservation::granted : os::reserve_at(at, bytes);
    if (reserved != Reservation::granted || os::commit(pointer_to(at), bytes)) {
        return reserved;
    }
    if (!tables_reserved_) {
        os::unreserve(pointer_to(at), bytes);
    }
    return Reservation::refused;
}

void* Region::take_thread_memory(size_t bytes) {
    LockGuard guard(lock_);
    if (thread_memory_ == 0) {
        return nullptr;
    }
    const size_t whole = round_up(bytes, os::page_size());
    const uintptr_t below = thread_memory_ - whole;
    Reservation reserved = os::reserve_at(below, whole);
    if (reserved == Reservation::occupied) {
        return os::map(whole);
    }
    if (reserved != Reservation::granted) {
        return nullptr;
    }
    if (!os::commit(pointer_to(below), whole)) {
        os::unreserve(pointer_to(below), whole);
        return nullptr;
    }
    thread_memory_ = below;
    return pointer_to(below);
}

/// Whether the region could not get these addresses. If something else lies there, it cannot grow any more.
bool Region::grows_no_more(Reservation reserved) {
    if (reserved == Reservation::occupied) {
        page_count_ = std::min(reserved_pages_, sections_ready_ * kSectionPages);
    }
    return reserved != Reservation::granted;
}

bool Region::commit_section(size_t index) {
    if (section_tables_ == index) {
        if (grows_no_more(claim(address_of(section(index)), section_bytes_))) {
            return false;
        }
        ++section_tables_;
    }
    // An OS page may hold the class entries of several sections. The first of these sections makes it usable.
    const size_t entry_bytes = kSectionPages * sizeof(uint16_t);
    const size_t claimed_bytes = std::max(entry_bytes, os::page_size());
    const uintptr_t entries = address_of(&region_view.class_entry(index * kSectionPages));
    if (entries % claimed_bytes == 0 && grows_no_more(claim(entries, claimed_bytes))) {
        return false;
    }
    ++sections_ready_;
    publish_page_limit();
    return true;
}

/// Publishes the number of pages whose class entries free() may read and whose addresses belong to the region.
/// Pairs with load_either(page_limit).
void Region::publish_page_limit() {
    store_release(region_view.page_limit, std::min(reserved_pages_, sections_ready_ * kSectionPages));
}

bool Region::reserve_pages_until(size_t page_end, bool at_least) {
    if (page_end <= reserved_pages_) {
        return true;
    }
    const Reservation reserved = os::reserve_at(base_ + reserved_pages_ * kRegionPageSize,
                                                (page_end - reserved_pages_) * kRegionPageSize);
    if (at_least ? grows_no_more(reserved) : reserved != Reservation::granted) {
        return false;
    }
    reserved_pages_ = page_end;
    publish_page_limit();
    note_surplus();
    return true;
}

bool Region::commit_pages_until(size_t needed_end) {
    const size_t page_end = round_up(needed_end, os_page_pages_);
    if (page_end <= committed_pages_) {
        return true;
    }
    const size_t step = std::clamp(committed_pages_, kFirstCommitPages, kLargestCommitPages);
    const size_t generous =
        std::min(page_count_, std::max(page_end, round_up(committed_pages_ + step, os_page_pages_)));
    for (const size_t end : {generous, page_end}) {
        void* start = pointer_to(base_ + committed_pages_ * kRegionPageSize);
        const size_t bytes = (end - committed_pages_) * kRegionPageSize;
        if (reserve_pages_until(end, end == page_end) && os::commit(start, bytes)) {
            has_grown_.store(committed_pages_ != 0, std::memory_order_relaxed);
            committed_pages_ = end;
            return true;
        }
    }
    return false;
}

}  // namespace hotlane
