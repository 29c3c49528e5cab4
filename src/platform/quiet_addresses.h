// SPDX-License-Identifier: MIT
//
// Addresses that nobody else gets by chance, for what begins small and has to grow in place.
// Knows nothing of who lives there.
// Used by region and by the profiler's tables.
#pragma once

#include "base/base.h"

namespace hotlane {

/// A multiple of 2 MiB. The kernel puts nothing into the `room` bytes from there by itself, but a program may
/// have asked for a place among them: nothing is reserved. Each call has room of its own.
uintptr_t quiet_address(size_t room);

}  // namespace hotlane
