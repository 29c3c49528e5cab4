// SPDX-License-Identifier: MIT
//
// Reads heap profiles of hotlane, and those of other allocators in the same format.
#pragma once

#include "cli/profile/dump.h"

#include <string>
#include <string_view>

namespace hotlane::cli {

/// Reads a dump from a file. Throws FileError (text_file.h) when the file cannot be read or is malformed.
Dump read_dump(const std::string& file);
/// Parses the text of a dump. `file` is the name for errors.
Dump parse_dump(std::string_view text, const std::string& file);

}  // namespace hotlane::cli
