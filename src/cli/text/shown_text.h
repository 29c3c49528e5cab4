// SPDX-License-Identifier: MIT
//
// Text that comes from anywhere (symbols, paths, dumps), made fit to be shown in any format.
// Knows nothing of those formats.
// Used where names enter a profile, and where they are cut for a table.
#pragma once

#include <string>
#include <string_view>

namespace hotlane::cli {

/// The text with what cannot be shown (text/characters.h) as Writer::shown() writes it: "\012" for a newline.
std::string shown_text(std::string_view text);

/// Text that is longer than `most` bytes ends in "…" before that.
std::string cut_text(std::string text, size_t most);
/// The same, but its end is kept: "…" is at the front.
std::string keep_end(std::string text, size_t most);

}  // namespace hotlane::cli
