// SPDX-License-Identifier: MIT
//
// Formats the numbers of a profile for people: signed, with three or four digits and a unit.
#pragma once

#include <cstdint>
#include <string>

namespace hotlane::cli {

std::string size_text(int64_t bytes);
std::string count_text(int64_t count);
std::string duration_text(int64_t ns);
/// Returns "12.3 %", or "-" when `whole` is 0.
std::string share_text(int64_t part, int64_t whole);

/// Returns "0x1136": lower-case digits without leading zeros.
std::string hex_text(uint64_t number);

/// Returns "1 object", "2,000 objects".
std::string counted(int64_t count, const std::string& noun);

}  // namespace hotlane::cli
