// SPDX-License-Identifier: MIT
//
// jemalloc's extent hooks, implemented with the functions of platform/os.h. jemalloc calls them with or
// without its own locks held.
#include "fallback/extent_hooks.h"

#include "platform/os.h"

#include <algorithm>

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

constinit std::atomic<size_t> huge_from_bytes{SIZE_MAX};

namespace {

constinit std::atomic<size_t> mapped_bytes{0};
/// The limit of the process when jemalloc started, or when memory was last refused. It is not read more often
/// because a sandbox that does not expect the system call would end the process.
constinit std::atomic<size_t> known_limit{SIZE_MAX};

bool are_scarce(size_t mapped) { return mapped >= known_limit.load(std::memory_order_relaxed) / 4; }

void* refuse() {
    constexpr size_t kFew = 16 * MiB;  // too little to matter under any usable limit
    if (mapped_bytes.load(std::memory_order_relaxed) >= kFew) {
        ask_for_limit();
    }
    return nullptr;
}

// The memory is reserved first, so that it is not charged before it is used: jemalloc's requests grow.
void* allocate_extent(ExtentHooks*, void* at, size_t bytes, size_t alignment, bool* zeroed, bool* committed,
                      unsigned) {
    if (at != nullptr) {
        return nullptr;
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
    *committed = true;
    return p;
}

// In the following hooks, a result of true means failure.

/// Called for free memory that is purged. It stays mapped for reuse, as with jemalloc's own hooks on Linux.
/// But if addresses are scarce, it is unmapped, because threads and libraries need the addresses.
bool deallocate_extent(ExtentHooks*, void* extent, size_t bytes, bool, unsigned) {
    const size_t mapped = mapped_bytes.load(std::memory_order_relaxed);
    if (!are_scarce(mapped)) {
        return true;
    }
    os::unreserve(extent, bytes);
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

void ask_for_limit() { known_limit.store(os::memory_limit(), std::memory_order_relaxed); }

bool addresses_are_scarce() { return are_scarce(mapped_bytes.load(std::memory_order_relaxed)); }

ExtentHooks extent_hooks{.allocate = allocate_extent,
                         .deallocate = deallocate_extent,
                         .destroy = nullptr,
                         .commit = nullptr,
                         .decommit = nullptr,
                         .purge_lazily = nullptr,
                         .purge = purge_extent,
                         .split = split_extent,
                         .merge = merge_extents};

}  // namespace hotlane::fallback
