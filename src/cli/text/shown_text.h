// SPDX-License-Identifier: MIT
//
// Makes text from untrusted sources (symbols, paths, dumps) safe to show in any format.
#pragma once

#include <string>
#include <string_view>

namespace hotlane::cli {

/// Returns the text with unsafe characters (text/characters.h) escaped as Writer::shown() does: "\012" for a
/// newline.
std::string shown_text(std::string_view text);

/// Returns at most `most` bytes of the text. A longer text loses its end and ends in "…".
std::string cut_text(std::string text, size_t most);
/// Like cut_text(), but the text loses its start and begins with "…".
std::string keep_end(std::string text, size_t most);

}  // namespace hotlane::cli
