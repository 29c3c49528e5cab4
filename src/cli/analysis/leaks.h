// SPDX-License-Identifier: MIT
//
// What was still live when the dump was written, stack by stack.
// Knows nothing of where profiles come from.
// Called by report.
#pragma once

#include "cli/analysis/suppressions.h"
#include "cli/profile/profile.h"

#include <string>

namespace hotlane::cli {

struct Leaks {
    AllocationTotals::Amount live;  // of the profile, without what was suppressed
    AllocationTotals::Amount suppressed;
    std::string text;  // for the user
};

/// Shows the `most` stacks with the most live bytes.
Leaks find_leaks(const Profile& profile, const Suppressions& suppressions, size_t most);

}  // namespace hotlane::cli
