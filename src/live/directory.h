// SPDX-License-Identifier: MIT
//
// The directory in which processes publish their counters.
#pragma once

#include <cstddef>

namespace hotlane::live {

/// Writes the directory that the value of HOTLANE_LIVE names: an absolute path, or for "auto" the user's
/// run-time directory, $XDG_RUNTIME_DIR/hotlane or /tmp/hotlane-UID, which is created. Returns false, and sets
/// `problem`, if the value is neither.
[[nodiscard]] bool find_directory(const char* value, char* out, size_t capacity, const char*& problem);

}  // namespace hotlane::live
