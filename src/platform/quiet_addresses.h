// SPDX-License-Identifier: MIT
//
// Finds addresses where the kernel puts no mappings by itself, for memory that grows in place.
#pragma once

#include "base/base.h"

namespace hotlane {

/// Returns an address that is a multiple of 2 MiB. The kernel puts nothing into the `room` bytes from there
/// by itself. Nothing is reserved, so the program may have mapped something there explicitly. The ranges of
/// several calls do not overlap, unless there are no more addresses.
uintptr_t quiet_address(size_t room);

}  // namespace hotlane
