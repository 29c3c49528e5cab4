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

enum class Shown { always, with_peak, without_peak, of_classes };

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
    {"slack", 8, Shown::of_classes,
     [](const AllocationTotals& totals) {
         return share_text(totals.cumulative.slack(), totals.cumulative.bytes);
     }},
};

bool is_shown(Shown shown, const ProfileOrigin& origin) {
    switch (shown) {
    case Shown::always:
        return true;
    case Shown::with_peak:
        return origin.has_peak;
    case Shown::without_peak:
        return !origin.has_peak;
    case Shown::of_classes:
        return !origin.requested;  // the program's own bytes have no slack
    }
    return true;
}

/// The columns of a table, and how their numbers are written.
struct Style {
    std::vector<Column> columns;
    bool is_difference;
    bool is_coloured;
};

Style style_of(const Profile& profile, const TableView& view) {
    Style style{{}, profile.origin.difference, profile.origin.difference && view.coloured};
    for (const Column& column : kColumns) {
        if (is_shown(column.shown, profile.origin)) {
            style.columns.push_back(column);
        }
    }
    return style;
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

size_t width_of(const Style& style) {
    size_t width = 0;
    for (const Column& column : style.columns) {
        width += column.width;
    }
    return width;
}

/// Returns a number with its sign in a difference: growth has a plus.
std::string cell(const Style& style, const Column& column, const AllocationTotals& totals) {
    const std::string number = column.text(totals);
    const bool has_number = number.find_first_of("123456789") != std::string::npos;
    const bool is_share = number.ends_with('%');
    if (!style.is_difference || !has_number || is_share) {
        return right(number, column.width);
    }
    const bool shrinks = number.starts_with('-');
    const std::string text = right(shrinks ? number : "+" + number, column.width);
    return style.is_coloured ? (shrinks ? "\x1b[32m" : "\x1b[31m") + text + "\x1b[0m" : text;
}

std::string row(const Style& style, const AllocationTotals& totals, const std::string& name) {
    std::string line;
    for (const Column& column : style.columns) {
        line += cell(style, column, totals);
    }
    return line + "  " + name + "\n";
}

std::string titles(const Style& style, Grouping grouping) {
    std::string line;
    for (const Column& column : style.columns) {
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
    const Style style = style_of(profile, view);
    const size_t room = view.width - std::min(view.width, width_of(style) + 2);
    const size_t shown = std::min(view.most_rows, sites.size());
    std::string text = profile_heading(profile.origin) + "\n" + timeline_text(profile, view.width);
    text += titles(style, view.grouping);
    AllocationTotals rest;
    for (size_t i = 0; i < sites.size(); ++i) {
        if (i < shown) {
            text += row(style, sites[i].totals, label(sites[i], room));
        } else {
            rest += sites[i].totals;
        }
    }
    if (shown < sites.size()) {
        text += row(style, rest, count_text(static_cast<int64_t>(sites.size() - shown)) + " more");
    }
    return text + row(style, profile.total(), "all");
}

size_t screen_width() {
    constexpr size_t kWithoutTerminal = 100;
    constexpr size_t kLeast = 80;
    struct winsize size {};
    const bool terminal = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col != 0;
    return terminal ? std::max<size_t>(kLeast, size.ws_col) : kWithoutTerminal;
}

}  // namespace hotlane::cli
