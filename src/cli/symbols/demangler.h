// SPDX-License-Identifier: MIT
//
// Demangles C++ names within limits of memory and time.
#pragma once

#include <string>

namespace hotlane::cli {

/// Returns the name as in the source. A name that is not mangled, or that takes too much memory or time, is
/// returned unchanged. Limits are necessary because a mangled name can refer to its own parts: 250 bytes can
/// stand for 570 MB of text. Not thread-safe; uses SIGVTALRM and its timer.
std::string demangled(const char* name);

}  // namespace hotlane::cli
