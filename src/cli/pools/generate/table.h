// SPDX-License-Identifier: MIT
//
// The table of `hotlane pools show`.
#pragma once

#include "cli/pools/generate/plan.h"

#include <string>

namespace hotlane::cli {

/// Returns a row for each message, by class, and the totals. Messages of one class share its buffers, which are
/// shown in the first row of the class.
std::string plan_table(const Plan& plan);

}  // namespace hotlane::cli
