// SPDX-License-Identifier: MIT
//
// Mangled C++ names made readable, within bounds of memory and time.
// Knows nothing of where names come from.
// Called by symbol_file and compile_unit.
#pragma once

#include <string>

namespace hotlane::cli {

/// The name as in the source; what is not mangled, or would be too much, stays as it is. A mangled name can
/// refer to its own parts: one of 250 bytes stands for 570 MB of text, another takes longer than anybody
/// waits. One thread at a time; uses SIGVTALRM and its timer.
std::string demangled(const char* name);

}  // namespace hotlane::cli
