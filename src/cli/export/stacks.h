// SPDX-License-Identifier: MIT
//
// Exports stacks with one weight each: folded lines for flame graphs, and speedscope's JSON.
#pragma once

#include "cli/analysis/sites.h"

#include <string>

namespace hotlane::cli {

/// Returns lines "root;caller;leaf NUMBER" with the numbers of `order`. Stacks whose number is not positive
/// are omitted, because weights cannot be negative.
std::string export_folded(const Profile& profile, Order order);

/// Returns a speedscope file with one profile for each of peak (if known) and live bytes, cumulative bytes, cumulative objects,
/// temporary objects and slack. The profile of `order` is shown first.
std::string export_speedscope(const Profile& profile, Order order);

}  // namespace hotlane::cli
