// SPDX-License-Identifier: MIT
//
// Which of several dumps count: each dump of a process has all that those before it had.
// Knows nothing of files, symbols, nor of what is in a dump beside its origin.
// Called by profile_files.
#pragma once

#include "cli/profile/profile.h"

#include <vector>

namespace hotlane::cli {

/// Whether both are dumps of one process.
bool is_same_process(const ProfileOrigin& a, const ProfileOrigin& b);

/// The indices of those to be added up: the last of each process, in the order in which the processes come.
std::vector<size_t> last_of_each_process(const std::vector<const ProfileOrigin*>& origins);

}  // namespace hotlane::cli
