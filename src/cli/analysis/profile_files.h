// SPDX-License-Identifier: MIT
//
// Loads the files of dumps into one profile with symbols, and shows the progress on a terminal.
#pragma once

#include "cli/profile/profile.h"

#include <string>
#include <vector>

namespace hotlane::cli {

/// Returns the sum of `files` minus the sum of `base`. Of several dumps of one process only the last counts;
/// a message says so. Throws FileError (text_file.h).
Profile load_profile(const std::vector<std::string>& files, const std::vector<std::string>& base = {});

}  // namespace hotlane::cli
