// SPDX-License-Identifier: MIT
//
// Puts the points into columns of equal time. A column has the highest value of its points; a column without
// points has that of the column before.
#include "cli/analysis/sparkline.h"

#include "cli/text/quantity.h"

#include <algorithm>
#include <cmath>

namespace hotlane::cli {

namespace {

constexpr size_t kColumns = 60;
constexpr size_t kLeastPoints = 3;

std::string bars(const std::vector<double>& heights) {
    constexpr const char* kBlocks[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    const double most = *std::max_element(heights.begin(), heights.end());
    std::string text;
    for (const double height : heights) {
        // The lowest block stands for everything above 0.
        const double share = most > 0 ? height / most : 0;
        text += kBlocks[share <= 0 ? 0 : std::clamp(std::lround(share * 8), 1L, 8L)];
    }
    return text;
}

/// Puts `values`, one for each point, into columns.
std::vector<double> in_columns(const std::vector<TimePoint>& timeline, const std::vector<double>& values,
                               size_t count) {
    std::vector<double> columns(count, -1);
    const double whole = std::max(1.0, static_cast<double>(timeline.back().at_ns));
    for (size_t i = 0; i < timeline.size(); ++i) {
        const double share = static_cast<double>(timeline[i].at_ns) / whole;
        double& column =
            columns[std::min(count - 1, static_cast<size_t>(share * static_cast<double>(count)))];
        column = std::max(column, values[i]);
    }
    double before = 0;
    for (double& column : columns) {
        before = column = column < 0 ? before : column;
    }
    return columns;
}

/// Returns the requests per second before each point.
std::vector<double> request_rates(const std::vector<TimePoint>& timeline) {
    std::vector<double> rates{0};
    for (size_t i = 1; i < timeline.size(); ++i) {
        const auto ns = static_cast<double>(timeline[i].at_ns - timeline[i - 1].at_ns);
        const auto count =
            static_cast<double>(subtract_clamped(timeline[i].requests, timeline[i - 1].requests));
        rates.push_back(ns > 0 && count > 0 ? count * 1e9 / ns : 0);
    }
    return rates;
}

}  // namespace

std::string timeline_text(const Profile& profile, size_t width) {
    const std::vector<TimePoint>& timeline = profile.timeline;
    if (timeline.size() < kLeastPoints || profile.origin.difference) {
        return {};
    }
    constexpr size_t kText = 40;  // beside the blocks
    const size_t count = std::clamp(width - std::min(width, kText), size_t{20}, kColumns);
    std::vector<double> live;
    int64_t most_live = 0;
    for (const TimePoint& point : timeline) {
        live.push_back(static_cast<double>(point.live_bytes));
        most_live = std::max(most_live, point.live_bytes);
    }
    const std::vector<double> rates = request_rates(timeline);
    constexpr double kMostShown = 1e18;
    const auto fastest =
        static_cast<int64_t>(std::min(kMostShown, *std::max_element(rates.begin(), rates.end())));
    std::string text = "live " + bars(in_columns(timeline, live, count)) + " most " + size_text(most_live);
    if (profile.origin.has_peak) {
        text += " at " + duration_text(profile.origin.peak_ns);
    }
    return text + "\nrate " + bars(in_columns(timeline, rates, count)) + " most " + count_text(fastest) +
           " requests/s\n";
}

}  // namespace hotlane::cli
