// SPDX-License-Identifier: MIT
//
// Groups stacks by their allocation site: the first frame that does not belong to an allocator.
#include "cli/analysis/sites.h"

#include <algorithm>

namespace hotlane::cli {

int64_t order_value(const AllocationTotals& totals, Order order) {
    switch (order) {
    case Order::peak:
        return totals.peak.bytes;
    case Order::live:
        return totals.live.bytes;
    case Order::cumulative:
        return totals.cumulative.bytes;
    case Order::count:
        return totals.cumulative.objects;
    case Order::temporary:
        return totals.temporary.objects;
    case Order::slack:
        return totals.cumulative.slack();
    }
    return 0;
}

std::string_view order_unit(Order order) {
    return order == Order::count || order == Order::temporary ? "objects" : "bytes";
}

std::string_view order_name(Order order) {
    constexpr std::string_view kNames[] = {"peak", "live", "cumulative", "count", "temporary", "slack"};
    return kNames[static_cast<size_t>(order)];
}

Order default_order(const Profile& profile) {
    return profile.origin.has_peak && profile.origin.reason == "exit" ? Order::peak : Order::live;
}

std::string place_of(const Profile& profile, uint32_t frame) {
    const Profile::Function& function = profile.function_of(frame);
    const int64_t line = profile.frames()[frame].line;
    if (function.file.empty()) {
        const std::string library = profile.library_of(frame).name();
        return function.name.starts_with(library + "+") ? "" : library;  // the name already contains it
    }
    const std::string file = function.file.substr(function.file.rfind('/') + 1);
    return line == 0 ? file : file + ":" + std::to_string(line);
}

std::vector<AllocationSite> sites_of(const Profile& profile, Grouping grouping, Order order) {
    std::map<std::pair<std::string, std::string>, AllocationTotals> totals_by_name;
    for (const Profile::Stack& stack : profile.stacks()) {
        const uint32_t frame = stack.frames[stack.site];
        const std::string library = profile.library_of(frame).name();
        const std::string& function = profile.function_of(frame).name;
        switch (grouping) {
        case Grouping::site:
            totals_by_name[{function, place_of(profile, frame)}] += stack.totals;
            break;
        case Grouping::function:
            totals_by_name[{function, library}] += stack.totals;
            break;
        case Grouping::library:
            totals_by_name[{library.empty() ? "(no library)" : library, ""}] += stack.totals;
            break;
        }
    }
    std::vector<AllocationSite> sites;
    sites.reserve(totals_by_name.size());
    for (const auto& [names, totals] : totals_by_name) {
        sites.push_back({names.first, names.second, totals});
    }
    std::stable_sort(sites.begin(), sites.end(), [order](const AllocationSite& a, const AllocationSite& b) {
        const auto key = [order](const AllocationSite& site) {
            return std::tuple{order_value(site.totals, order), site.totals.live.bytes,
                              site.totals.cumulative.bytes};
        };
        return key(a) > key(b);
    });
    return sites;
}

}  // namespace hotlane::cli
