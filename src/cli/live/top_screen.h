// SPDX-License-Identifier: MIT
//
// The full screen of `hotlane top`.
#pragma once

#include "cli/live/live_process.h"

namespace hotlane::cli {

/// Shows the processes, or one of them, until the user ends it. Throws LiveError if there is no terminal, or if
/// the command was built without ncurses.
void show_top(const LiveDirectory& live, int64_t process);

}  // namespace hotlane::cli
