// SPDX-License-Identifier: MIT
//
// From the files of dumps to one profile with names, progress shown on a terminal.
// Knows nothing of what is then done with it.
// Called by report, and by profile --report.
#pragma once

#include "cli/profile/profile.h"

#include <string>
#include <vector>

namespace hotlane::cli {

/// The sum of `files`, less the sum of `base`; of several dumps of one process the last counts, which is
/// said. Throws FileError (text_file.h).
Profile load_profile(const std::vector<std::string>& files, const std::vector<std::string>& base = {});

}  // namespace hotlane::cli
