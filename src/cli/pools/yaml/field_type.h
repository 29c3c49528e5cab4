// SPDX-License-Identifier: MIT
//
// The types of fields in a YAML contract.
#pragma once

#include "cli/pools/contract/contract.h"

#include <string_view>

namespace hotlane::cli {

/// Sets the kind and the size of the field from the name of its type: bool, u8 to u64, i8 to i64, f32, f64, enum
/// (4 bytes), uint8 to uint256 and int8 to int256 in steps of 8 bits, address (20 bytes), bytes1 and up, string,
/// bytes. T[] and list<T> are lists, T[N] is an array. Any other name is that of a message. Returns what is wrong
/// with the name, or an empty text.
std::string set_type(Field& field, std::string_view type);

/// Returns whether the name is that of a type, so that no message can have it.
bool is_builtin_type(std::string_view name);

/// Returns names of types, for suggestions.
const std::vector<std::string_view>& builtin_types();

}  // namespace hotlane::cli
