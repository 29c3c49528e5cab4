// SPDX-License-Identifier: MIT
//
// Where the library is that belongs to this command, and putting it into LD_PRELOAD.
// Knows nothing of the program that will be run.
// Used by run.
#pragma once

#include <string>

namespace hotlane::cli {

/// The libhotlane.so.0 beside this executable, in its prefix or its build tree; absolute. Throws
/// std::runtime_error with one line for the user when there is none.
std::string find_library();

/// What LD_PRELOAD has to be: the library, then what was there. Throws std::runtime_error when the loader
/// could not read the path from there.
std::string preload_list(const std::string& library, const char* before);

}  // namespace hotlane::cli
