// SPDX-License-Identifier: MIT
//
// The hot lane by hand: single objects beyond what malloc's names offer.
// Must not know who exports it.
// Called by preload/api.cpp.
#pragma once

#include "base/base.h"

namespace hotlane {

/// As release(), after the whole usable size was cleared by stores that are never removed. What is not the
/// start of a live object is reported and not written to. Keeps errno.
void release_zeroed(void* p);

}  // namespace hotlane
