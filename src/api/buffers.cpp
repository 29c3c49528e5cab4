// SPDX-License-Identifier: MIT
//
// Single objects: aligned, warmed up, or cleared before they are freed.
#include "api/buffers.h"

#include "depot/depot.h"
#include "malloc/allocator.h"
#include "malloc/fallback_requests.h"
#include "malloc/owner.h"
#include "thread_cache/prefill.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace hotlane {

namespace {

constexpr size_t kAlignment = SizeClasses::kCoarseStep;

size_t whole_lines(size_t n) { return round_up(std::max<size_t>(n, 1), kAlignment); }

/// Whether any object for a request of whole lines has the alignment. A listed table may have no such class.
bool is_always_aligned(size_t lines) {
    ensure_started();  // chooses the size classes
    return lines <= kLargestSmall && size_classes[size_classes.class_of(lines)].object_size % kAlignment == 0;
}

}  // namespace

void* get_slow(size_t n) {
    if (n > kLargestSmall) {
        return allocate_aligned(kAlignment, n);
    }
    const size_t lines = whole_lines(n);
    return is_always_aligned(lines) ? allocate_slow(lines) : allocate_aligned(kAlignment, lines);
}

void* get_zeroed(size_t n) {
    if (n > kLargestSmall) {
        return allocate_fallback(n, kAlignment, true, FallbackReason::large);
    }
    const size_t lines = whole_lines(n);
    if (is_always_aligned(lines)) {
        return allocate_zeroed(1, lines);
    }
    void* p = allocate_aligned(kAlignment, lines);
    return p != nullptr ? memset(p, 0, n) : nullptr;
}

void* get_aligned(size_t alignment, size_t n) {
    if (!std::has_single_bit(alignment)) {
        errno = EINVAL;
        return nullptr;
    }
    return alignment <= kAlignment ? get_slow(n) : allocate_aligned(alignment, n);
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
    if (!warm_up_new_threads(size_classes.smallest_class_for(n), most)) {
        errno = ENOSPC;
        return -1;
    }
    return 0;
}

void release_zeroed(void* p) {
    if (p == nullptr) {
        return;
    }
    const Owner owner = owner_of(p);
    size_t bytes = usable_size_of(owner, p);
    if (bytes == 0) {
        report_invalid_pointer(p, "hotlane_free_zeroed");
        return;
    }
    if (owner.tier == Tier::span && !is_object_start(p, &bytes)) {
        // An ordinary free checks this in its slow path only. Here the check comes first, because clearing
        // would damage the next object.
        report_misuse(Misuse::interior_pointer, "hotlane_free_zeroed", p, bytes);
        return;
    }
    explicit_bzero(p, bytes);
    release(p);
}

}  // namespace hotlane
