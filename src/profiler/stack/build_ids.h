// SPDX-License-Identifier: MIT
//
// The build-ids of the program and its libraries, by which their debug information is found anywhere.
#pragma once

#include "base/base.h"

namespace hotlane::inspect {

struct BuildId {
    static constexpr size_t kLongest = 64;

    uintptr_t mapping = 0;  // where the start of the file is mapped
    size_t length = 0;
    unsigned char bytes[kLongest] = {};
};

/// Calls `visit` with the build-id of each mapped file that has one. Reads /proc/self/maps and the files' notes
/// in memory; takes no lock, not even the loader's, and does not allocate.
void for_each_build_id(void (*visit)(const BuildId& id, void* context), void* context);

}  // namespace hotlane::inspect
