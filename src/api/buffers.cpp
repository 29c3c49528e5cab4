// SPDX-License-Identifier: MIT
//
// Single objects: cleared before they are put back.
// Must not know who exports it.
// Called by preload/api.cpp.
#include "api/buffers.h"

#include "depot/depot.h"
#include "fallback/fallback.h"
#include "guards/guard.h"
#include "malloc/allocator.h"
#include "profiler/sample_registry.h"
#include "thread_cache/prefill.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace hotlane {

namespace {

bool has_class(const void* p) {
    return region_view.contains(p) &&
           region_view.class_byte(region.page_containing(p).value) != SizeClasses::lane_of(kNoClass);
}

/// How many bytes from `p` are the caller's; 0 when nothing lives there.
size_t owned_bytes(const void* p) {
    if (guard::contains(p)) {
        return guard::usable_size(p);
    }
    if (profile::contains(p)) {
        return profile::usable_size(p);
    }
    return fallback::owns(p) ? fallback::usable_size(p) : 0;
}

}  // namespace

void* get_slow(size_t n) {
    constexpr size_t kAlignment = 64;
    // A multiple of 64 has a class of its own, whose objects then lie at multiples of 64.
    return n <= kLargestSmall ? allocate_slow(round_up(n, kAlignment)) : allocate_aligned(kAlignment, n);
}

void* get_aligned(size_t alignment, size_t n) {
    if (!std::has_single_bit(alignment)) {
        errno = EINVAL;
        return nullptr;
    }
    return alignment <= 64 ? get_slow(n) : allocate_aligned(alignment, n);
}

size_t warm_up(size_t n, size_t count) {
    ensure_started();
    return n <= kLargestSmall ? warm_up_this_thread(size_classes.class_of(n), count) : 0;
}

int warm_up_threads(size_t n, size_t count) {
    ensure_started();
    if (n > kLargestSmall) {
        errno = EINVAL;
        return -1;
    }
    const auto most = static_cast<uint32_t>(std::min<size_t>(count, UINT32_MAX));
    if (!warm_up_new_threads(size_classes.class_of(n), most)) {
        errno = ENOSPC;
        return -1;
    }
    return 0;
}

void release_zeroed(void* p) {
    if (p == nullptr) {
        return;
    }
    size_t bytes = 0;
    if (!has_class(p)) {
        bytes = owned_bytes(p);
        if (bytes == 0) {
            report_dead(p, "hotlane_free_zeroed");
            return;
        }
    } else if (!is_object_start(p, &bytes)) {
        // A plain release looks at this in its slow path only; here it would clear a neighbour.
        report_misuse(Misuse::interior_pointer, "hotlane_free_zeroed", p, bytes);
        return;
    }
    explicit_bzero(p, bytes);
    release(p);
}

}  // namespace hotlane
