// SPDX-License-Identifier: MIT
//
// Formats the table of sites: a heading, one row for each site, a row for the rest, and the sum.
#include "cli/analysis/site_table.h"

#include "cli/analysis/sparkline.h"
#include "cli/text/function_name.h"
#include "cli/text/quantity.h"
#include "cli/text/shown_text.h"

#include <algorithm>
#include <sys/ioctl.h>
#include <unistd.h>

namespace hotlane::cli {

namespace {

enum class Shown { always, with_peak, without_peak };

struct Column {
    const char* title;
    size_t width;
    Shown shown;
    std::string (*text)(const AllocationTotals& totals);
};

constexpr Column kColumns[] = {
    {"peak", 9, Shown::with_peak,
     [](const AllocationTotals& totals) { return size_text(totals.peak.bytes); }},
    {"live", 9, Shown::always, [](const AllocationTotals& totals) { return size_text(totals.live.bytes); }},
    {"objects", 9, Shown::without_peak,
     [](const AllocationTotals& totals) { return count_text(totals.live.objects); }},
    {"cumulative", 11, Shown::always,
     [](const AllocationTotals& totals) { return size_text(totals.cumulative.bytes); }},
    {"count", 9, Shown::always,
     [](const AllocationTotals& totals) { return count_text(totals.cumulative.objects); }},
    {"temporary", 10, Shown::always,
     [](const AllocationTotals& totals) { return count_text(totals.temporary.objects); }},
    {"slack", 8, Shown::always,
     [](const AllocationTotals& totals) {
         return share_text(totals.cumulative.slack(), totals.cumulative.bytes);
     }},
};

std::vector<Column> columns_of(const Profile& profile) {
    std::vector<Column> columns;
    for (const Column& column : kColumns) {
        if (column.shown == Shown::always || (column.shown == Shown::with_peak) == profile.origin.has_peak) {
            columns.push_back(column);
        }
    }
    return columns;
}

const char* title_of(Grouping grouping) {
    switch (grouping) {
    case Grouping::site:
        return "site";
    case Grouping::function:
        return "function";
    case Grouping::library:
        return "library";
    }
    return "";
}

std::string right(const std::string& text, size_t width) {
    return std::string(width - std::min(width, text.size()), ' ') + text;
}

size_t width_of(const std::vector<Column>& columns) {
    size_t width = 0;
    for (const Column& column : columns) {
        width += column.width;
    }
    return width;
}

std::string row(const std::vector<Column>& columns, const AllocationTotals& totals, const std::string& name) {
    std::string line;
    for (const Column& column : columns) {
        line += right(column.text(totals), column.width);
    }
    return line + "  " + name + "\n";
}

std::string titles(const std::vector<Column>& columns, Grouping grouping) {
    std::string line;
    for (const Column& column : columns) {
        line += right(column.title, column.width);
    }
    return line + "  " + title_of(grouping) + "\n";
}

/// Returns the function and its place. A function that is too long is cut.
std::string label(const AllocationSite& site, size_t width) {
    constexpr size_t kLeast = 12;
    const std::string function = short_name(site.function);
    const size_t place = site.place.empty() ? 0 : site.place.size() + 1;
    const size_t room = std::max(kLeast, width - std::min(width, place));
    // The end of the name says more than the class at its start.
    const std::string name = keep_end(function, room);
    return site.place.empty() ? name : name + " " + site.place;
}

}  // namespace

std::string profile_heading(const ProfileOrigin& origin) {
    const std::string program = origin.program.substr(origin.program.rfind('/') + 1);
    std::string line = program.empty() ? "heap profile" : program;
    if (origin.process != 0) {
        line += " (pid " + std::to_string(origin.process) + ")";
    }
    if (!origin.reason.empty()) {
        line += ", at " + origin.reason;
    }
    if (origin.duration_ns != 0) {
        line += " after " + duration_text(origin.duration_ns);
    }
    line += ": ";
    if (origin.samples != 0) {
        line += counted(origin.samples, "sample") + ", ";
    }
    line += origin.period <= 1 ? "every allocation" : "one in " + size_text(origin.period);
    if (origin.lost_samples != 0) {
        line += "; " + count_text(origin.lost_samples) + " lost";
    }
    return line + (origin.difference ? "; change since the base" : "");
}

std::string site_table(const Profile& profile, const TableView& view) {
    const std::vector<AllocationSite> sites =
        sites_of(profile, view.grouping, view.order.value_or(default_order(profile)));
    const std::vector<Column> columns = columns_of(profile);
    const size_t room = view.width - std::min(view.width, width_of(columns) + 2);
    const size_t shown = std::min(view.most_rows, sites.size());
    std::string text = profile_heading(profile.origin) + "\n" + timeline_text(profile, view.width);
    text += titles(columns, view.grouping);
    AllocationTotals rest;
    for (size_t i = 0; i < sites.size(); ++i) {
        if (i < shown) {
            text += row(columns, sites[i].totals, label(sites[i], room));
        } else {
            rest += sites[i].totals;
        }
    }
    if (shown < sites.size()) {
        text += row(columns, rest, count_text(static_cast<int64_t>(sites.size() - shown)) + " more");
    }
    return text + row(columns, profile.total(), "all");
}

size_t screen_width() {
    constexpr size_t kWithoutTerminal = 100;
    constexpr size_t kLeast = 80;
    struct winsize size {};
    const bool terminal = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col != 0;
    return terminal ? std::max<size_t>(kLeast, size.ws_col) : kWithoutTerminal;
}

}  // namespace hotlane::cli
