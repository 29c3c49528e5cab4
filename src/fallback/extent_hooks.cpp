// SPDX-License-Identifier: MIT
//
// jemalloc's extent hooks over the verbs of os.
// Must not know blocks, nor when anything is asked for.
// Called by jemalloc, under locks of its own or none.
#include "fallback/extent_hooks.h"

#include "platform/os.h"

#include <algorithm>

namespace hotlane::fallback {

// The order and the types are jemalloc's (extent_hooks_s, since 5.0). A function left out counts as one that
// always refuses.
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
/// The process's limit, as it was when jemalloc started, or when memory was last refused. Asking more often
/// would end a process in a sandbox that does not expect it.
constinit std::atomic<size_t> known_limit{SIZE_MAX};

bool are_scarce(size_t mapped) { return mapped >= known_limit.load(std::memory_order_relaxed) / 4; }

void* refuse() {
    constexpr size_t kFew = 16 * MiB;  // no matter under any limit that can be lived with
    if (mapped_bytes.load(std::memory_order_relaxed) >= kFew) {
        ask_for_limit();
    }
    return nullptr;
}

// Reserved first, so that it is not charged before it is used; jemalloc takes more and more at once.
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
    // Not aligned to them, or jemalloc would find gaps between what it could have merged.
    if (mapped_bytes.load(std::memory_order_relaxed) >= huge_from_bytes.load(std::memory_order_relaxed)) {
        os::advise_huge(p, bytes, true);
    }
    mapped_bytes.fetch_add(bytes, std::memory_order_relaxed);
    *zeroed = true;
    *committed = true;
    return p;
}

// True means failure.

/// Called for free memory that is purged. It stays mapped for reuse, as jemalloc's own hooks have it on
/// Linux. Under a limit of addresses of which the fallback has a quarter and more, threads and libraries need
/// them.
bool deallocate_extent(ExtentHooks*, void* extent, size_t bytes, bool, unsigned) {
    const size_t mapped = mapped_bytes.load(std::memory_order_relaxed);
    if (!are_scarce(mapped)) {
        return true;
    }
    os::unreserve(extent, bytes);
    // Not below zero: what jemalloc mapped before it had these hooks was not counted.
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
