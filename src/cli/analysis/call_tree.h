// SPDX-License-Identifier: MIT
//
// The callers or the callees of a function as a tree in text.
#pragma once

#include "cli/analysis/frame_filter.h"
#include "cli/analysis/site_table.h"

#include <string>

namespace hotlane::cli {

enum class Direction { callers, callees };

/// Returns a tree whose root is all functions with a matching name. A branch is a caller (or a callee) and has
/// its part of the numbers of view.order. Of a recursion only the outermost call counts. Branches of less than
/// a hundredth are left out, and so are those beyond view.most_rows.
std::string call_tree(const Profile& profile, const FrameFilter& function, Direction direction,
                      const TableView& view);

}  // namespace hotlane::cli
