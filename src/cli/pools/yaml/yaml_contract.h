// SPDX-License-Identifier: MIT
//
// Reads a contract in YAML. hotlane(1) describes the format.
#pragma once

#include "cli/pools/contract/contract.h"

namespace hotlane::cli {

/// Returns what the text says, as far as it is understood, and reports everything that is wrong with it.
Contract read_yaml_contract(const std::string& file, const std::string& text, Problems& problems);

}  // namespace hotlane::cli
