// SPDX-License-Identifier: MIT
//
// jemalloc's extent hooks, implemented with the region and the functions of platform/os.h. jemalloc calls them with or
// without its own locks held.
#include "fallback/extent_hooks.h"

#include "diagnostics/misuse.h"
#include "page_heap/region.h"
#include "platform/os.h"

#include <algorithm>
#include <cstring>

namespace hotlane::fallback {

// The order and the types are those of jemalloc's extent_hooks_s, since 5.0. To jemalloc, a null pointer is a
// function that always refuses.
struct ExtentHooks {
    void* (*allocate)(ExtentHooks*, void* at, size_t bytes, size_t alignment, bool* zeroed, bool* committed,
                      unsigned);
    bool (*deallocate)(ExtentHooks*, void*, size_t, bool committed, unsigned);
    void (*destroy)(ExtentHooks*, void*, size_t, bool committed, unsigned);
    bool (*commit)(ExtentHooks*, void*, size_t, size_t offset, size_t length, unsigned);
    bool (*decommit)(ExtentHooks*, void*, size_t, size_t offset, size_t length, unsigned);
    bool (*purge_lazily)(ExtentHooks*, void*, size_t, size_t offset, size_t length, unsigned);
    bool (*purge)(ExtentHooks*, void*, size_t, size_t offset, size_t length, unsigned);
    bool (*split)(ExtentHooks*, void*, size_t, size_t first, size_t second, bool committed, unsigned);
    bool (*merge)(ExtentHooks*, void*, size_t, void*, size_t, bool committed, unsigned);
};

HOTLANE_DATA_OF_EVERY_PROCESS constinit std::atomic<size_t> huge_from_bytes{SIZE_MAX};

namespace {

constinit std::atomic<size_t> mapped_bytes{0};
/// The limit of the process when it asked for its first block, or when memory was last refused. It is not read more
/// often because a sandbox that does not expect the system call would end the process.
HOTLANE_DATA_OF_EVERY_PROCESS constinit std::atomic<size_t> known_limit{SIZE_MAX};
constinit std::atomic<bool> knows_limit{false};

/// The addresses of the region and of the blocks outside it.
size_t held_bytes() { return mapped_bytes.load(std::memory_order_relaxed) + region.stats().reserved_bytes; }

/// Takes pages of the region, `at` this address if it is not null. A process with a limit gets none: the region unmaps
/// pages in its middle only when addresses are scarce, and then for ever. If jemalloc wants zeroed memory, the hook must zero it.
void* take_from_region(void* at, size_t bytes, size_t alignment, bool* zeroed) {
    if (has_memory_limit() || alignment > Region::kMostBlockAlignment || locks_are_lost()) {
        return nullptr;
    }
    bool fresh = false;
    void* p = at;
    if (at == nullptr) {
        p = region.take_block(bytes, alignment, &fresh);
    } else if (!region.extend_block(at, bytes, &fresh)) {
        p = nullptr;
    }
    if (*zeroed && p != nullptr && !fresh) {
        memset(p, 0, bytes);
    }
    *zeroed = *zeroed || fresh;
    return p;
}

void* refuse() {
    constexpr size_t kFew = 16 * MiB;  // too little to matter under any usable limit
    if (held_bytes() >= kFew) {
        known_limit.store(os::memory_limit(), std::memory_order_relaxed);
    }
    return nullptr;
}

// The memory is reserved first, so that it is not charged before it is used: jemalloc's requests grow.
void* allocate_extent(ExtentHooks*, void* at, size_t bytes, size_t alignment, bool* zeroed, bool* committed,
                      unsigned) {
    *committed = true;
    if (void* p = take_from_region(at, bytes, alignment, zeroed); p != nullptr || at != nullptr) {
        return p;
    }
    void* p = os::reserve(bytes, alignment);
    if (p == nullptr) {
        return refuse();
    }
    if (!os::commit(p, bytes)) {
        os::unreserve(p, bytes);
        return refuse();
    }
    // The extent is not aligned to 2 MiB: jemalloc could not merge extents with gaps between them.
    if (mapped_bytes.load(std::memory_order_relaxed) >= huge_from_bytes.load(std::memory_order_relaxed)) {
        os::advise_huge(p, bytes, true);
    }
    mapped_bytes.fetch_add(bytes, std::memory_order_relaxed);
    *zeroed = true;
    return p;
}

// In the following hooks, a result of true means failure.

/// Called for free memory that is purged. It stays mapped for reuse, as with jemalloc's own hooks on Linux.
/// But if addresses are scarce, it is unmapped, because threads and libraries need the addresses.
bool deallocate_extent(ExtentHooks*, void* extent, size_t bytes, bool, unsigned) {
    if (region_view.contains(extent)) {
        if (locks_are_lost()) {
            return true;
        }
        region.put_back_block(extent, bytes, tick_at(os::coarse_ns()));
        return false;
    }
    if (!addresses_are_scarce()) {
        return true;
    }
    os::unreserve(extent, bytes);
    const size_t mapped = mapped_bytes.load(std::memory_order_relaxed);
    // Never below zero: memory that jemalloc mapped before it had these hooks was not counted.
    mapped_bytes.fetch_sub(std::min(bytes, mapped), std::memory_order_relaxed);
    return false;
}

bool purge_extent(ExtentHooks*, void* extent, size_t, size_t offset, size_t length, unsigned) {
    return !os::purge(static_cast<std::byte*>(extent) + offset, length);
}

bool split_extent(ExtentHooks*, void*, size_t, size_t, size_t, bool, unsigned) { return false; }

bool merge_extents(ExtentHooks*, void*, size_t, void*, size_t, bool, unsigned) { return false; }

}  // namespace

HOTLANE_IN_EVERY_PROCESS void ask_for_limit_once() {
    if (!knows_limit.load(std::memory_order_relaxed)) {
        knows_limit.store(true, std::memory_order_relaxed);
        known_limit.store(os::memory_limit(), std::memory_order_relaxed);
    }
}

HOTLANE_IN_EVERY_PROCESS bool has_memory_limit() {
    return known_limit.load(std::memory_order_relaxed) != SIZE_MAX;
}

bool addresses_are_scarce() {
    const size_t limit = known_limit.load(std::memory_order_relaxed);
    return limit != SIZE_MAX && held_bytes() >= limit / 4;
}

const ExtentHooks extent_hooks{.allocate = allocate_extent,
                               .deallocate = deallocate_extent,
                               .destroy = nullptr,
                               .commit = nullptr,
                               .decommit = nullptr,
                               .purge_lazily = nullptr,
                               .purge = purge_extent,
                               .split = split_extent,
                               .merge = merge_extents};

}  // namespace hotlane::fallback
