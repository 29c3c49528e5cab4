// SPDX-License-Identifier: MIT
//
// The characters of UTF-8, and which of them a terminal can be shown.
// Knows nothing of who shows them.
// Used by the writer and by the command.
#pragma once

#include <cstddef>
#include <string_view>

namespace hotlane {

/// What a text begins with: a character, or one byte that belongs to none.
struct Character {
    size_t length;  // bytes
    char32_t code;
    bool valid;
    /// It changes nothing but its own place: no control character (of C0 or C1, or delete), no line
    /// separator, no mark that turns the direction of the text around it.
    bool shown;
};

/// `text` must not be empty.
Character first_character(std::string_view text);

/// Whether `at` is the start of a character, or the end of `text`, so that a cut there splits no character.
/// `at` must not exceed the size of `text`.
bool begins_character(std::string_view text, size_t at);

}  // namespace hotlane
