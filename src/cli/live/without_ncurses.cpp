// SPDX-License-Identifier: MIT
//
// Stands for the screen where the command is built without ncurses.
#include "cli/live/top_screen.h"

namespace hotlane::cli {

void show_top(const LiveDirectory& /*live*/, int64_t /*process*/) {
    throw LiveError{"this command was built without ncurses; use hotlane ps"};
}

}  // namespace hotlane::cli
