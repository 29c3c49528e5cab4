// SPDX-License-Identifier: MIT
//
// Finds the file that a code address belongs to, and its entry in that file's unwind table. Takes no lock and
// allocates nothing: it uses glibc's _dl_find_object (since 2.35) and the table's own index.
#pragma once

#include "base/base.h"

namespace hotlane::unwind_index {

/// The file that a piece of code was loaded from.
struct Module {
    const char* path;  // "" for the program itself
    uintptr_t bias;    // subtract it from an address to get the address in the file
};
/// Returns false if the address is in no file, or the loader cannot tell.
bool find_module(uintptr_t address, Module& module);

/// Like the compiler's _Unwind_Find_FDE, for code that the loader loaded. Returns the entry for `pc`, and
/// three pointers in `bases`, of which the last is the start of the function. Returns null if there is no
/// entry in a supported form.
const void* find_entry(const void* pc, void* bases);

}  // namespace hotlane::unwind_index
