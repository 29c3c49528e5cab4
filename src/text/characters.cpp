// SPDX-License-Identifier: MIT
//
// Decodes UTF-8 one character at a time (RFC 3629).
#include "text/characters.h"

namespace hotlane {

namespace {

/// Whether the byte is the second or a later byte of a character.
bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xc0U) == 0x80; }

bool is_shown(char32_t code) {
    struct Range {
        char32_t first;
        char32_t last;
    };
    constexpr Range kNotShown[] = {
        {0x00, 0x1f},     {0x7f, 0x9f},       // control characters
        {0x61c, 0x61c},   {0x200e, 0x200f},   // directional marks
        {0x2028, 0x202e}, {0x2066, 0x2069}};  // line separators, directional overrides and isolates
    for (const Range& range : kNotShown) {
        if (code >= range.first && code <= range.last) {
            return false;
        }
    }
    return true;
}

}  // namespace

bool begins_character(std::string_view text, size_t at) {
    return at == text.size() || !is_continuation(text[at]);
}

Character first_character(std::string_view text) {
    const auto byte = [text](size_t i) -> char32_t { return static_cast<unsigned char>(text[i]); };
    const char32_t first = byte(0);
    const size_t length = first < 0x80          ? 1
                          : first >> 5U == 0x6  ? 2
                          : first >> 4U == 0xe  ? 3
                          : first >> 3U == 0x1e ? 4
                                                : 0;
    const Character none{1, first, false, false};
    if (length == 0 || length > text.size()) {
        return none;
    }
    if (length == 1) {
        return {1, first, true, is_shown(first)};
    }
    char32_t code = first & (0xffU >> (length + 1));
    for (size_t i = 1; i < length; ++i) {
        if (!is_continuation(text[i])) {
            return none;
        }
        code = code << 6U | (byte(i) & 0x3fU);
    }
    // A smaller code must use a shorter encoding.
    constexpr char32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = code >= 0xd800 && code < 0xe000;
    if (code < kLeast[length] || code > 0x10ffff || surrogate) {
        return none;
    }
    return {length, code, true, is_shown(code)};
}

}  // namespace hotlane
