// SPDX-License-Identifier: MIT
//
// The objects that were still live when the dump was written, stack by stack.
#pragma once

#include "cli/analysis/suppressions.h"
#include "cli/profile/profile.h"

#include <string>

namespace hotlane::cli {

struct Leaks {
    AllocationTotals::Amount live;  // without the suppressed ones
    AllocationTotals::Amount suppressed;
    std::string text;  // the list for the user
};

/// Finds the live objects of a profile. The text lists the `most` stacks with the most live bytes.
Leaks find_leaks(const Profile& profile, const Suppressions& suppressions, size_t most);

}  // namespace hotlane::cli
