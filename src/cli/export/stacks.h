// SPDX-License-Identifier: MIT
//
// A profile as stacks with a weight each: folded lines (flame graphs), and speedscope's JSON.
// Knows nothing of dumps, nor of the other formats.
// Called by report.
#pragma once

#include "cli/analysis/sites.h"

#include <string>

namespace hotlane::cli {

/// "root;caller;leaf NUMBER" lines, of what `order` orders by. Weights cannot be negative: stacks that shrank
/// are left out.
std::string export_folded(const Profile& profile, Order order);

/// A speedscope file: a profile for each of live bytes, cumulative bytes, objects, temporary objects and
/// slack, the one of `order` open.
std::string export_speedscope(const Profile& profile, Order order);

}  // namespace hotlane::cli
