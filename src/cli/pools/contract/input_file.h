// SPDX-License-Identifier: MIT
//
// Reads an input file of `hotlane pools` as a whole.
#pragma once

#include "cli/pools/contract/problems.h"

#include <optional>
#include <string>

namespace hotlane::cli {

/// Returns the content of the file. Reports why it cannot be read, or that it has more than `most` bytes.
std::optional<std::string> read_input(const std::string& file, size_t most, Problems& problems);

/// Of files that people write.
inline constexpr size_t kMostText = size_t{4} << 20U;

}  // namespace hotlane::cli
