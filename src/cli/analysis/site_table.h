// SPDX-License-Identifier: MIT
//
// The one-screen summary of a profile: its top sites in a table.
// Knows nothing of where profiles come from.
// Called by report, and by profile --report.
#pragma once

#include "cli/analysis/sites.h"

#include <string>

namespace hotlane::cli {

struct TableView {
    Grouping grouping = Grouping::site;
    Order order = Order::live;
    size_t most_rows = 20;
    size_t width = 100;  // columns of the screen
};

std::string site_table(const Profile& profile, const TableView& view);

/// "python3.11 (pid 1234), at exit after 2.00 s: 1,234 samples, one in 512 KiB".
std::string profile_heading(const ProfileOrigin& origin);

/// The columns of the terminal, or 100 where standard output is none.
size_t screen_width();

}  // namespace hotlane::cli
