// SPDX-License-Identifier: MIT
//
// The characters of UTF-8, by their first bytes.
// Knows nothing of the formats that want them.
// Called where names enter a profile.
#include "cli/utf8.h"

#include <algorithm>
#include <cstdint>

namespace hotlane::cli {

namespace {

/// The length of the character that the text begins with; 0 when it begins with none.
size_t character_length(std::string_view text) {
    const auto byte = [text](size_t i) -> uint32_t { return static_cast<unsigned char>(text[i]); };
    const uint32_t first = byte(0);
    const size_t length = first < 0x80          ? 1
                          : first >> 5U == 0x6  ? 2
                          : first >> 4U == 0xE  ? 3
                          : first >> 3U == 0x1E ? 4
                                                : 0;
    if (length <= 1 || text.size() < length) {
        return length <= 1 ? length : 0;
    }
    uint32_t code = first & (0xFFU >> (length + 1));
    for (size_t i = 1; i < length; ++i) {
        if (byte(i) >> 6U != 0x2) {
            return 0;
        }
        code = code << 6U | (byte(i) & 0x3FU);
    }
    constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};  // what is shorter must be written shorter
    const bool surrogate = code >= 0xD800 && code < 0xE000;
    return code < kLeast[length] || code > 0x10FFFF || surrogate ? 0 : length;
}

}  // namespace

std::string valid_utf8(std::string_view text) {
    const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
    if (std::all_of(text.begin(), text.end(), is_ascii)) {
        return std::string{text};
    }
    std::string valid;
    while (!text.empty()) {
        const size_t length = character_length(text);
        valid += length == 0 ? "\xEF\xBF\xBD" : text.substr(0, length);
        text.remove_prefix(std::max<size_t>(length, 1));
    }
    return valid;
}

}  // namespace hotlane::cli
