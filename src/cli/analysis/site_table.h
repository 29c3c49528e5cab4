// SPDX-License-Identifier: MIT
//
// A summary of a profile that fits on one screen: its top sites in a table.
#pragma once

#include "cli/analysis/sites.h"

#include <optional>
#include <string>

namespace hotlane::cli {

struct TableView {
    Grouping grouping = Grouping::site;
    std::optional<Order> order;  // default_order() unless it is given
    size_t most_rows = 20;
    size_t width = 100;     // columns of the screen
    bool coloured = false;  // in a difference, growth is red and shrinkage green
};

/// Returns the heading, the timeline, and a row for each of the largest sites.
std::string site_table(const Profile& profile, const TableView& view);

/// Returns a line such as "python3.11 (pid 1234), at exit after 2.00 s: 1,234 samples, one in 512 KiB".
std::string profile_heading(const ProfileOrigin& origin);

/// Returns the number of columns of the terminal, at least 80, or 100 when standard output is not a terminal.
size_t screen_width();

}  // namespace hotlane::cli
