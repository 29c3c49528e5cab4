// SPDX-License-Identifier: MIT
//
// Selects the last dump of each process. A dump includes everything in the earlier dumps of its process.
#pragma once

#include "cli/profile/profile.h"

#include <vector>

namespace hotlane::cli {

/// Returns whether both are dumps of the same process.
bool is_same_process(const ProfileOrigin& a, const ProfileOrigin& b);

/// Returns the indices of the last dump of each process, in the order in which the processes first occur.
std::vector<size_t> last_of_each_process(const std::vector<const ProfileOrigin*>& origins);

}  // namespace hotlane::cli
