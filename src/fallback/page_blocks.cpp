// SPDX-License-Identifier: MIT
//
// The number of a block's pages lies in the metadata of its first page, where spans have theirs.
#include "fallback/page_blocks.h"

#include "diagnostics/misuse.h"
#include "fallback/extent_hooks.h"
#include "page_heap/span.h"
#include "platform/os.h"

#include <algorithm>
#include <atomic>
#include <cstring>

namespace hotlane::page_blocks {

namespace {

constexpr size_t kTooLarge = 2 * RegionView::kMostPages * kRegionPageSize;

constinit std::atomic<bool> is_off{false};
constinit std::atomic<size_t> taken_with_limit{0};
constinit std::atomic<size_t> live{0};  // bytes

Span& metadata(const void* p) { return *static_cast<Span*>(region.span_metadata(region.page_containing(p))); }

/// How many pages the block has; 0 if jemalloc has it.
size_t pages_of(const void* p) {
    const bool may_be = region_view.contains(p) && address_of(p) % kRegionPageSize == 0;
    return may_be ? metadata(p).block_pages() : 0;
}

/// Whole pages of the kernel, so that they can be purged.
size_t pages_for(size_t bytes) {
    bytes = std::min(bytes, kTooLarge);
    return round_up(bytes, std::max(kRegionPageSize, os::page_size())) / kRegionPageSize;
}

/// The first few blocks of a process with a limit come without a start of jemalloc.
bool limit_allows(size_t bytes) {
    return !fallback::has_memory_limit() ||
           (bytes <= kLargestWithLimit && taken_with_limit.load(std::memory_order_relaxed) < kMostWithLimit &&
            taken_with_limit.fetch_add(1, std::memory_order_relaxed) < kMostWithLimit);
}

/// From the page after `p` on.
std::byte* page_behind(void* p, size_t pages) { return static_cast<std::byte*>(p) + pages * kRegionPageSize; }

}  // namespace

void turn_off() { is_off.store(true, std::memory_order_relaxed); }

void* take(size_t bytes, size_t alignment, bool zeroed) {
    if (bytes <= kLargestSmall || alignment > Region::kMostBlockAlignment ||
        is_off.load(std::memory_order_relaxed) || locks_are_lost() || !limit_allows(bytes)) {
        return nullptr;
    }
    const size_t pages = pages_for(bytes);
    bool fresh = false;
    void* p = region.take_block(pages * kRegionPageSize, alignment, &fresh);
    if (p == nullptr) {
        return nullptr;
    }
    if (zeroed && !fresh) {
        memset(p, 0, bytes);
    }
    metadata(p).begin_block(pages);
    live.fetch_add(pages * kRegionPageSize, std::memory_order_relaxed);
    return p;
}

bool resize(void* p, size_t bytes) {
    const size_t before = pages_of(p);
    const size_t pages = pages_for(bytes);
    const size_t more_bytes = (pages - before) * kRegionPageSize;  // modulo 2^64
    if (locks_are_lost()) {
        return pages <= before;
    }
    bool fresh = false;
    if (pages > before && !region.extend_block(page_behind(p, before), more_bytes, &fresh)) {
        return false;
    }
    metadata(p).begin_block(pages);
    live.fetch_add(more_bytes, std::memory_order_relaxed);
    if (pages < before) {
        region.put_back_block(page_behind(p, pages), 0 - more_bytes, tick_at(os::coarse_ns()));
    }
    return true;
}

bool put_back(void* p) {
    const size_t bytes = pages_of(p) * kRegionPageSize;
    if (bytes == 0) {
        return false;
    }
    // The entry goes first: once the region has the pages, another block may begin there.
    metadata(p).end_block();
    live.fetch_sub(bytes, std::memory_order_relaxed);
    if (!locks_are_lost()) {
        region.put_back_block(p, bytes, tick_at(os::coarse_ns()));
    }
    return true;
}

size_t usable_size(const void* p) { return pages_of(p) * kRegionPageSize; }

size_t live_bytes() { return live.load(std::memory_order_relaxed); }

}  // namespace hotlane::page_blocks
