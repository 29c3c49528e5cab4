// SPDX-License-Identifier: MIT
//
// Single objects: cleared before they are put back.
// Must not know who exports it.
// Called by preload/api.cpp.
#include "pools/buffers.h"

#include "allocator.h"
#include "depot/depot.h"
#include "fallback/fallback.h"
#include "fallback/glibc_heap.h"

#include <cstring>

namespace hotlane {

namespace {

bool has_class(const void* p) {
    return region_view.contains(p) &&
           region_view.class_byte(region.page_containing(p).value) != SizeClasses::lane_of(kNoClass);
}

/// How many bytes from `p` are the caller's; 0 for what release() will find to be a mistake.
size_t owned_bytes(const void* p) {
    if (fallback::owns(p)) {
        return fallback::usable_size(p);
    }
    return glibc_heap::is_chunk(p) ? glibc_heap::usable_size(p) : 0;
}

}  // namespace

void release_zeroed(void* p) {
    if (p == nullptr) {
        return;
    }
    size_t bytes = 0;
    if (!has_class(p)) {
        bytes = owned_bytes(p);
    } else if (!is_object_start(p, &bytes)) {
        // A plain release looks at this in its slow path only; here it would clear a neighbour.
        report_misuse(Misuse::interior_pointer, "hotlane_free_zeroed", p, bytes);
        return;
    }
    explicit_bzero(p, bytes);
    release(p);
}

}  // namespace hotlane
