// SPDX-License-Identifier: MIT
//
// Which file an address of code belongs to, and which entry of the file's unwind table: found without a lock
// and without an allocation, through glibc's _dl_find_object (since 2.35) and the table's own index.
// Knows nothing of frames. Used by frame_rules and call_stack.
#pragma once

#include "base/base.h"

namespace hotlane::unwind_index {

/// The file that code was loaded from.
struct Module {
    const char* path;  // "" for the program itself
    uintptr_t bias;    // an address less this is the file's
};
/// False when the address is in none, or the loader cannot tell.
bool find_module(uintptr_t address, Module& module);

/// As the compiler's _Unwind_Find_FDE, for what a loader loaded: the entry for `pc`, and in `bases` three
/// pointers, the last of them to the function. Null when there is none in a form that is known here.
const void* find_entry(const void* pc, void* bases);

}  // namespace hotlane::unwind_index
