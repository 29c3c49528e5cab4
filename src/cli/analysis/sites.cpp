// SPDX-License-Identifier: MIT
//
// Stacks by the first of their frames that is no allocator's.
// Knows nothing of how they are shown.
// Called by the table and by the exports.
#include "cli/analysis/sites.h"

#include <algorithm>

namespace hotlane::cli {

int64_t order_value(const Tally& tally, Order order) {
    switch (order) {
    case Order::live:
        return tally.live.bytes;
    case Order::cumulative:
        return tally.cumulative.bytes;
    case Order::count:
        return tally.cumulative.objects;
    case Order::temporary:
        return tally.temporary.objects;
    case Order::slack:
        return tally.cumulative.slack();
    }
    return 0;
}

std::string_view order_unit(Order order) {
    return order == Order::count || order == Order::temporary ? "objects" : "bytes";
}

std::string place_of(const Profile& profile, uint32_t frame) {
    const Profile::Function& function = profile.function_of(frame);
    const int64_t line = profile.frames()[frame].line;
    if (function.file.empty()) {
        const std::string library = profile.library_of(frame).name();
        return function.name.starts_with(library + "+") ? "" : library;  // the name has it already
    }
    const std::string file = function.file.substr(function.file.rfind('/') + 1);
    return line == 0 ? file : file + ":" + std::to_string(line);
}

std::vector<Site> sites_of(const Profile& profile, Grouping grouping, Order order) {
    std::map<std::pair<std::string, std::string>, Tally> tallies;
    for (const Profile::Stack& stack : profile.stacks()) {
        const uint32_t frame = stack.frames[stack.site];
        const std::string library = profile.library_of(frame).name();
        const std::string& function = profile.function_of(frame).name;
        switch (grouping) {
        case Grouping::site:
            tallies[{function, place_of(profile, frame)}] += stack.tally;
            break;
        case Grouping::function:
            tallies[{function, library}] += stack.tally;
            break;
        case Grouping::library:
            tallies[{library.empty() ? "(no library)" : library, ""}] += stack.tally;
            break;
        }
    }
    std::vector<Site> sites;
    sites.reserve(tallies.size());
    for (const auto& [names, tally] : tallies) {
        sites.push_back({names.first, names.second, tally});
    }
    std::stable_sort(sites.begin(), sites.end(), [order](const Site& a, const Site& b) {
        const auto key = [order](const Site& site) {
            return std::tuple{order_value(site.tally, order), site.tally.live.bytes,
                              site.tally.cumulative.bytes};
        };
        return key(a) > key(b);
    });
    return sites;
}

}  // namespace hotlane::cli
