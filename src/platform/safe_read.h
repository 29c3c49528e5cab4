// SPDX-License-Identifier: MIT
//
// Looks at the memory of this process without trusting it: asks the kernel, and never faults.
// Knows nothing of whose memory it is.
// Called by the profiler.
#pragma once

#include "base/base.h"

namespace hotlane::inspect {

/// Copies memory of this process. False where any of it is not readable, or the kernel refuses to look.
[[nodiscard]] bool read_memory(uintptr_t from, void* to, size_t bytes);

/// Whether all OS pages that hold `begin` .. `end` are readable. One system call for 64 of them; where the
/// kernel refuses to look, one mapping in /proc has to hold them all.
[[nodiscard]] bool is_readable(uintptr_t begin, uintptr_t end);

/// A stretch of addresses.
struct Extent {
    uintptr_t begin = 0;
    uintptr_t end = 0;

    bool contains(uintptr_t address) const { return address - begin < end - begin; }
};
/// The mapping that an address lies in, its neighbours not included. Empty when there is none, or /proc is
/// not there. Reads up to all of /proc/self/maps.
Extent mapping_around(uintptr_t address);
/// The code of the library or program that this is part of.
Extent own_code();

}  // namespace hotlane::inspect
