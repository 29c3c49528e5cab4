// SPDX-License-Identifier: MIT
//
// Reads a heap profile's text: hotlane's own, and what other allocators write in the same layout.
// Knows nothing of symbols, nor of how a profile is shown.
// Called by report.
#pragma once

#include "cli/profile/dump.h"

#include <string>
#include <string_view>

namespace hotlane::cli {

/// Throws FileError (text_file.h) when the file cannot be read or is not what it should be.
Dump read_dump(const std::string& file);
/// The same of text that was read; `file` is what errors name.
Dump parse_dump(std::string_view text, const std::string& file);

}  // namespace hotlane::cli
