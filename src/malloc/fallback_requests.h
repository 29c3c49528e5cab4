// SPDX-License-Identifier: MIT
//
// Requests that leave the hot lane: counted, followed by the profiler where it wants them, tried again after
// a purge. Must not know the hot lane's objects. Called by allocator alone.
#pragma once

#include "diagnostics/misuse.h"
#include "stats/stats.h"

namespace hotlane {

/// Null, with errno ENOMEM.
void* no_memory();

/// A block of the fallback.
void* allocate_fallback(size_t n, size_t alignment, bool zeroed, FallbackReason reason);
/// realloc of a block of the fallback to n > kLargestSmall.
void* reallocate_fallback(void* p, size_t n);
/// An object of class `c` that the profiler follows, outside the region; null when there is none to be had.
void* allocate_sampled(ClassIndex c, size_t n);
/// The same beside a guard page; `is_sample`: the profiler follows it, too.
void* allocate_guarded(ClassIndex c, size_t n, size_t alignment, bool is_sample);
/// Frees what allocate_guarded() returned, or reports that `p`, which points into the guards' slots, is not
/// live.
void release_guarded(void* p, Operation operation);
/// Frees what allocate_sampled() returned. False, and nothing done: it is not live.
bool release_sampled(void* p);
/// Frees a block of the fallback. False, and nothing done: it is not live.
bool release_fallback(void* p);

}  // namespace hotlane
