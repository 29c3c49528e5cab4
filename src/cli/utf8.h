// SPDX-License-Identifier: MIT
//
// Text that comes from anywhere, made fit for formats that are UTF-8.
// Knows nothing of those formats.
// Used where names enter a profile.
#pragma once

#include <string>
#include <string_view>

namespace hotlane::cli {

/// The text with U+FFFD for each byte that belongs to no character.
std::string valid_utf8(std::string_view text);

}  // namespace hotlane::cli
