// SPDX-License-Identifier: MIT
//
// Requests that the thread caches do not serve: fallback allocations, and sampled and guarded objects. They
// are counted, tracked by the profiler if it samples them, and tried again after a purge.
#pragma once

#include "diagnostics/misuse.h"
#include "stats/stats.h"

namespace hotlane {

/// Sets errno to ENOMEM and returns null.
void* no_memory();

/// Allocates a block of the fallback. Null with errno ENOMEM if there is no memory.
void* allocate_fallback(size_t n, size_t alignment, bool zeroed, FallbackReason reason);
/// realloc of a block of the fallback to n > kLargestSmall. On failure it returns null with errno ENOMEM and
/// leaves `p` as it is.
void* reallocate_fallback(void* p, size_t n);
/// Allocates an object of class `c` outside the region, which the profiler tracks. Null if the profiler
/// cannot provide one.
void* allocate_sampled(ClassIndex c, size_t n);
/// Allocates an object beside a guard page. If `is_sample`, the profiler tracks it, too. Null if the guards
/// cannot provide one.
void* allocate_guarded(ClassIndex c, size_t n, size_t alignment, bool is_sample);
/// Frees what allocate_guarded() returned. `p` points into the guards' slots; if it is not a live object,
/// that is reported.
void release_guarded(void* p, Operation operation);
/// Frees what allocate_sampled() returned. Does nothing and returns false if `p` is not live.
bool release_sampled(void* p);
/// Frees a block of the fallback. Returns false if `p` is not live.
bool release_fallback(void* p);

}  // namespace hotlane
