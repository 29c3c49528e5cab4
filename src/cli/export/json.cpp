// SPDX-License-Identifier: MIT
//
// Writes a profile as JSON.
#include "cli/export/json.h"

#include "cli/profile/profile.h"
#include "cli/text/quantity.h"

#include <nlohmann/json.hpp>

namespace hotlane::cli {

namespace {

using nlohmann::json;

json amount(const AllocationTotals::Amount& amount) {
    return {{"objects", amount.objects}, {"bytes", amount.bytes}, {"requested", amount.requested}};
}

json count(const AllocationTotals::Count& count) {
    return {{"objects", count.objects}, {"bytes", count.bytes}};
}

json stack_object(const Profile::Stack& stack, bool has_peak) {
    json lifetimes = json::array();
    for (const auto& [log2_ns, objects] : stack.totals.lifetimes) {
        lifetimes.push_back({log2_ns, objects});
    }
    json object{{"frames", stack.frames},
                {"site", stack.site},
                {"live", amount(stack.totals.live)},
                {"cumulative", amount(stack.totals.cumulative)},
                {"temporary", count(stack.totals.temporary)},
                {"remote", count(stack.totals.remote)},
                {"lifetimes", std::move(lifetimes)}};
    if (has_peak) {
        object["peak"] = amount(stack.totals.peak);
    }
    return object;
}

/// Returns what changed as numbers, which the page reads in this order.
json change_row(size_t stack, const AllocationTotals& totals) {
    const AllocationTotals::Amount& live = totals.live;
    const AllocationTotals::Amount& all = totals.cumulative;
    return {stack,
            live.objects,
            live.bytes,
            live.requested,
            all.objects,
            all.bytes,
            all.requested,
            totals.temporary.objects,
            totals.temporary.bytes,
            totals.remote.objects,
            totals.remote.bytes};
}

json moment_object(const Profile::Moment& moment) {
    json changes = json::array();
    for (const auto& [stack, totals] : moment.changes) {
        changes.push_back(change_row(stack, totals));
    }
    return {{"at_ns", moment.at_ns},
            {"sequence", moment.sequence},
            {"reason", moment.reason},
            {"changes", std::move(changes)}};
}

json origin_object(const ProfileOrigin& origin) {
    return {{"hotlane_profile", 1},
            {"program", origin.program},
            {"process", origin.process},
            {"time_ns", origin.time_ns},
            {"duration_ns", origin.duration_ns},
            {"begin_ns", origin.begin_ns},
            {"peak_ns", origin.peak_ns},
            {"has_peak", origin.has_peak},
            {"difference", origin.difference},
            {"bytes", origin.requested ? "requested" : "class"},
            {"reason", origin.reason},
            {"sequence", origin.sequence},
            {"period", origin.period},
            {"unwind", origin.unwind},
            {"samples", origin.samples},
            {"lost_samples", origin.lost_samples}};
}

}  // namespace

json to_json(const Profile& profile) {
    json document = origin_object(profile.origin);
    json& classes = document["classes"] = json::array();
    for (const auto& [size, counts] : profile.classes) {
        classes.push_back(
            {{"size", size}, {"hits", counts.hits}, {"misses", counts.misses}, {"puts", counts.puts}});
    }
    json& timeline = document["timeline"] = json::array();
    for (const TimePoint& point : profile.timeline) {
        timeline.push_back(
            {point.at_ns, point.live_bytes, point.resident_bytes, point.requests, point.misses});
    }
    json& moments = document["moments"] = json::array();
    for (const Profile::Moment& moment : profile.moments) {
        moments.push_back(moment_object(moment));
    }
    json& functions = document["functions"] = json::array();
    for (const Profile::Function& function : profile.functions()) {
        functions.push_back({{"name", function.name},
                             {"file", function.file},
                             {"library", profile.libraries()[function.library].name()}});
    }
    json& frames = document["frames"] = json::array();
    for (const Profile::Frame& frame : profile.frames()) {
        frames.push_back({{"function", frame.function},
                          {"line", frame.line},
                          {"address", hex_text(frame.address)},
                          {"inlined", frame.inlined}});
    }
    json& stacks = document["stacks"] = json::array();
    for (const Profile::Stack& stack : profile.stacks()) {
        stacks.push_back(stack_object(stack, profile.origin.has_peak));
    }
    return document;
}

}  // namespace hotlane::cli
