// SPDX-License-Identifier: MIT
//
// Exports stacks in the folded format and as speedscope's JSON.
#include "cli/export/stacks.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace hotlane::cli {

namespace {

using nlohmann::json;

struct View {
    Order order;
    const char* name;
};
constexpr View kViews[] = {{Order::peak, "peak bytes"},
                           {Order::live, "live bytes"},
                           {Order::cumulative, "cumulative bytes"},
                           {Order::count, "cumulative objects"},
                           {Order::temporary, "temporary objects"},
                           {Order::slack, "cumulative slack"}};

/// The format's separator cannot occur in a name.
std::string folded_name(std::string name) {
    std::replace(name.begin(), name.end(), ';', ':');
    return name;
}

/// speedscope has no unit for objects, so theirs is "none".
json speedscope_profile(const Profile& profile, const View& view) {
    json samples = json::array();
    json weights = json::array();
    int64_t sum = 0;
    for (const Profile::Stack& stack : profile.stacks()) {
        const int64_t weight = order_value(stack.totals, view.order);
        if (weight > 0) {
            samples.push_back(std::vector<uint32_t>{stack.frames.rbegin(), stack.frames.rend()});
            weights.push_back(weight);
            sum = add_clamped(sum, weight);
        }
    }
    return {{"type", "sampled"},
            {"name", view.name},
            {"unit", order_unit(view.order) == "bytes" ? "bytes" : "none"},
            {"startValue", 0},
            {"endValue", sum},
            {"samples", std::move(samples)},
            {"weights", std::move(weights)}};
}

}  // namespace

std::string export_folded(const Profile& profile, Order order) {
    std::map<std::string, int64_t> weights;  // lines are ignored: stacks of the same functions are one
    for (const Profile::Stack& stack : profile.stacks()) {
        const int64_t weight = order_value(stack.totals, order);
        if (weight <= 0) {
            continue;
        }
        std::string line;
        for (size_t i = stack.frames.size(); i > 0; --i) {
            line += folded_name(profile.function_of(stack.frames[i - 1]).name) + (i == 1 ? " " : ";");
        }
        weights[line] = add_clamped(weights[line], weight);
    }
    std::string text;
    for (const auto& [line, weight] : weights) {
        text += line + std::to_string(weight) + "\n";
    }
    return text;
}

std::string export_speedscope(const Profile& profile, Order order) {
    json frames = json::array();
    for (const Profile::Frame& frame : profile.frames()) {
        const Profile::Function& function = profile.functions()[frame.function];
        json object{{"name", function.name}};
        if (!function.file.empty()) {
            object["file"] = function.file;
        }
        if (frame.line != 0) {
            object["line"] = frame.line;
        }
        frames.push_back(std::move(object));
    }
    json profiles = json::array();
    size_t active = 0;
    for (const View& view : kViews) {
        if (view.order == Order::peak && !profile.origin.has_peak) {
            continue;
        }
        active = view.order == order ? profiles.size() : active;
        profiles.push_back(speedscope_profile(profile, view));
    }
    const json document{{"$schema", "https://www.speedscope.app/file-format-schema.json"},
                        {"name", profile.origin.program.empty() ? "heap" : profile.origin.program},
                        {"exporter", "hotlane"},
                        {"activeProfileIndex", active},
                        {"shared", {{"frames", std::move(frames)}}},
                        {"profiles", std::move(profiles)}};
    return document.dump() + "\n";
}

}  // namespace hotlane::cli
