// SPDX-License-Identifier: MIT
//
// Numbers of a profile as people read them: signed, three or four digits and a unit.
// Knows nothing of what they count.
// Used by what prints profiles.
#pragma once

#include <cstdint>
#include <string>

namespace hotlane::cli {

std::string size_text(int64_t bytes);
std::string count_text(int64_t count);
std::string duration_text(int64_t ns);
/// "12.3 %"; "-" of nothing.
std::string share_text(int64_t part, int64_t whole);

/// "0x1136": lower-case digits without leading zeros.
std::string hex_text(uint64_t number);

/// "1 object", "2,000 objects".
std::string counted(int64_t count, const std::string& noun);

}  // namespace hotlane::cli
