// SPDX-License-Identifier: MIT
//
// Finds the library that belongs to this command, and prepares LD_PRELOAD.
#pragma once

#include <string>

namespace hotlane::cli {

/// Returns the absolute path of the libhotlane.so.0 in this command's prefix or build tree. Throws
/// std::runtime_error with one line for the user when there is none.
std::string find_library();

/// Returns the new value of LD_PRELOAD: the library, then the former value. Throws std::runtime_error when
/// the loader cannot parse the library's path.
std::string preload_list(const std::string& library, const char* before);

}  // namespace hotlane::cli
