// SPDX-License-Identifier: MIT
//
// Single objects with more than malloc offers: 64-byte alignment, warm-up, and clearing before the free.
#pragma once

#include "base/base.h"

namespace hotlane {

/// The slow path of hotlane_get(). Objects are at multiples of 64 with any set of size classes.
void* get_slow(size_t n);
/// See hotlane_get_zeroed().
void* get_zeroed(size_t n);
/// See hotlane_get_aligned().
void* get_aligned(size_t alignment, size_t n);

// See hotlane_warmup() and hotlane_warmup_threads().
size_t warm_up(size_t n, size_t count);
int warm_up_threads(size_t n, size_t count);

/// Frees an object after clearing its whole usable size by stores that no compiler removes. A pointer that is
/// not the start of a live object is reported, and nothing is written. Does not change errno.
void release_zeroed(void* p);

}  // namespace hotlane
