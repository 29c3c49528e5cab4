// SPDX-License-Identifier: MIT
//
// Sorts the stacks of a profile, and turns them into columns.
#include "cli/export/page_data.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>
#include <vector>

namespace hotlane::cli {

namespace {

using nlohmann::json;

constexpr struct {
    const char* group;
    const char* number;
} kColumns[] = {
    {"live", "objects"},         {"live", "bytes"},        {"live", "requested"},     {"peak", "objects"},
    {"peak", "bytes"},           {"peak", "requested"},    {"cumulative", "objects"}, {"cumulative", "bytes"},
    {"cumulative", "requested"}, {"temporary", "objects"}, {"temporary", "bytes"},    {"remote", "objects"},
    {"remote", "bytes"},
};

/// Returns the function of each frame. A frame without a function stands for itself.
std::vector<size_t> functions_of(const json& profile) {
    const size_t functions = profile.at("functions").size();
    std::vector<size_t> found;
    for (const json& frame : profile.at("frames")) {
        const size_t function = frame.at("function");
        found.push_back(function < functions ? function : functions + found.size());
    }
    return found;
}

/// Returns the indices of the stacks in the order of their functions, from the root on.
std::vector<size_t> sorted_by_callers(const json& stacks, const std::vector<size_t>& functions) {
    std::vector<std::vector<size_t>> paths;
    for (const json& stack : stacks) {
        std::vector<size_t>& path = paths.emplace_back();
        for (const json& frame : stack.at("frames")) {
            path.push_back(functions.at(frame.get<size_t>()));
        }
        std::reverse(path.begin(), path.end());
    }
    std::vector<size_t> order(stacks.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return paths[a] < paths[b]; });
    return order;
}

/// Returns the numbers of `count` stacks. places[i] is where stacks[i] belongs.
json columns_of(const json& stacks, const std::vector<size_t>& places, size_t count) {
    json columns = json::object();
    for (const auto& [group, number] : kColumns) {
        std::vector<int64_t> column(count);
        for (size_t i = 0; i < stacks.size(); ++i) {
            if (const auto found = stacks[i].find(group); found != stacks[i].end()) {
                column[places[i]] = found->at(number);
            }
        }
        if (std::any_of(column.begin(), column.end(), [](int64_t n) { return n != 0; })) {
            columns[std::string{group} + "." + number] = column;
        }
    }
    return columns;
}

json lifetimes_of(const json& stacks, const std::vector<size_t>& places) {
    std::vector<size_t> owners;
    std::vector<int64_t> log2;
    std::vector<int64_t> objects;
    for (size_t i = 0; i < stacks.size(); ++i) {
        for (const json& lifetime : stacks[i].at("lifetimes")) {
            owners.push_back(places[i]);
            log2.push_back(lifetime.at(0));
            objects.push_back(lifetime.at(1));
        }
    }
    return {{"stacks", owners}, {"log2", log2}, {"objects", objects}};
}

json packed_stacks(const json& stacks, const std::vector<size_t>& order, const std::vector<size_t>& places) {
    std::vector<size_t> depths;
    std::vector<int64_t> frames;
    std::vector<int64_t> sites;
    for (const size_t index : order) {
        const json& own = stacks[index].at("frames");
        const size_t site = stacks[index].at("site");
        depths.push_back(own.size());
        sites.push_back(site < own.size() ? own[site].get<int64_t>() : -1);
        for (size_t i = own.size(); i-- > 0;) {
            frames.push_back(own[i]);
        }
    }
    return {{"count", stacks.size()},
            {"depths", depths},
            {"frames", frames},
            {"sites", sites},
            {"columns", columns_of(stacks, places, stacks.size())},
            {"lifetimes", lifetimes_of(stacks, places)}};
}

}  // namespace

json page_data(json profile) {
    if (!profile.contains("stacks")) {
        return profile;
    }
    const json stacks = std::move(profile["stacks"]);
    const std::vector<size_t> order = sorted_by_callers(stacks, functions_of(profile));
    std::vector<size_t> places(order.size());
    for (size_t place = 0; place < order.size(); ++place) {
        places[order[place]] = place;
    }
    profile["stacks"] = packed_stacks(stacks, order, places);
    if (profile.contains("moments")) {
        for (json& moment : profile["moments"]) {
            for (json& change : moment.at("changes")) {
                change.at(0) = places.at(change.at(0).get<size_t>());
            }
        }
    }
    if (profile.contains("base")) {
        const json before = std::move(profile["base"]["stacks"]);
        std::vector<size_t> own;
        for (const json& stack : before) {
            own.push_back(places.at(stack.at("stack").get<size_t>()));
        }
        profile["base"]["stacks"] = {{"columns", columns_of(before, own, stacks.size())},
                                     {"lifetimes", lifetimes_of(before, own)}};
    }
    return profile;
}

}  // namespace hotlane::cli
