// SPDX-License-Identifier: MIT
//
// Reads memory of this process that may not be readable: asks the kernel and never faults.
#pragma once

#include "base/base.h"

namespace hotlane::inspect {

/// Copies memory of this process. Returns false if a part of it is not readable, or if the kernel refuses.
[[nodiscard]] bool read_memory(uintptr_t from, void* to, size_t bytes);

/// Whether all OS pages from `begin` to `end` are readable. Makes one system call for every 64 pages. If the
/// kernel refuses that call, the answer is whether one mapping in /proc/self/maps holds all pages.
[[nodiscard]] bool is_readable(uintptr_t begin, uintptr_t end);

/// A range of addresses.
struct Extent {
    uintptr_t begin = 0;
    uintptr_t end = 0;

    bool contains(uintptr_t address) const { return address - begin < end - begin; }
};
/// The mapping that an address lies in, without its neighbours. Empty if there is none, or if there is no
/// /proc. May read all of /proc/self/maps.
Extent mapping_around(uintptr_t address);
/// The code segment of the library or program that contains this function.
Extent own_code();

}  // namespace hotlane::inspect
