// SPDX-License-Identifier: MIT
//
// The hot lane by hand: single objects beyond what malloc's names offer.
// Must not know who exports it.
// Called by preload/api.cpp.
#pragma once

#include "base/base.h"

namespace hotlane {

/// The out-of-line half of hotlane_get(): objects at multiples of 64 whatever the classes.
void* get_slow(size_t n);
/// As hotlane_get_aligned().
void* get_aligned(size_t alignment, size_t n);

// As hotlane_warmup() and hotlane_warmup_threads().
size_t warm_up(size_t n, size_t count);
int warm_up_threads(size_t n, size_t count);

/// As release(), after the whole usable size was cleared by stores that are never removed. What is not the
/// start of a live object is reported and not written to. Keeps errno.
void release_zeroed(void* p);

}  // namespace hotlane
