// SPDX-License-Identifier: MIT
//
// Decodes UTF-8 and decides which characters are safe to show on a terminal.
#pragma once

#include <cstddef>
#include <string_view>

namespace hotlane {

/// The start of a text: one character, or one byte that is not part of a valid character.
struct Character {
    size_t length;  // bytes
    char32_t code;
    bool valid;
    /// Whether a terminal can show it safely. False for control characters (C0, C1 and delete), line
    /// separators and marks that change the direction of the surrounding text.
    bool shown;
};

/// Decodes the first character of `text`, which must not be empty.
Character first_character(std::string_view text);

/// Returns whether a character starts at offset `at`, or `at` is the end of `text`. Text can be cut there
/// without splitting a character. `at` must not exceed the size of `text`.
bool begins_character(std::string_view text, size_t at);

}  // namespace hotlane
