// SPDX-License-Identifier: MIT
//
// What is mapped in this process, line by line of /proc/self/maps.
#pragma once

#include "platform/safe_read.h"

namespace hotlane::inspect {

struct Mapping {
    Extent range;
    uint64_t offset = 0;  // in the file
    uint64_t file = 0;    // differs for different files; 0: no file
    bool readable = false;
    bool executable = false;
    const char* path = "";  // as the kernel writes it; valid until `visit` returns; cut at 900 bytes
};

/// Calls `visit` with each mapping, in the order of addresses. Takes no lock, not even the loader's, and does not
/// allocate.
void for_each_mapping(void (*visit)(const Mapping& mapping, void* context), void* context);

}  // namespace hotlane::inspect
