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

json totals_object(const AllocationTotals& totals, bool has_peak) {
    json lifetimes = json::array();
    for (const auto& [log2_ns, objects] : totals.lifetimes) {
        lifetimes.push_back({log2_ns, objects});
    }
    json object{{"live", amount(totals.live)},
                {"cumulative", amount(totals.cumulative)},
                {"temporary", count(totals.temporary)},
                {"remote", count(totals.remote)},
                {"lifetimes", std::move(lifetimes)}};
    if (has_peak) {
        object["peak"] = amount(totals.peak);
    }
    return object;
}

json stack_object(const Profile::Stack& stack, bool has_peak) {
    json object = totals_object(stack.totals, has_peak);
    object["frames"] = stack.frames;
    object["site"] = stack.site;
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

json class_list(const std::map<int64_t, Profile::SizeClass>& all) {
    json classes = json::array();
    for (const auto& [size, counts] : all) {
        classes.push_back(
            {{"size", size}, {"hits", counts.hits}, {"misses", counts.misses}, {"puts", counts.puts}});
    }
    return classes;
}

json base_object(const Profile::Base& base) {
    json document = origin_object(base.origin);
    document["classes"] = class_list(base.classes);
    json& stacks = document["stacks"] = json::array();
    for (const auto& [stack, totals] : base.totals) {
        json object = totals_object(totals, base.origin.has_peak);
        object["stack"] = stack;
        stacks.push_back(std::move(object));
    }
    return document;
}

}  // namespace

json to_json(const Profile& profile) {
    json document = origin_object(profile.origin);
    document["classes"] = class_list(profile.classes);
    if (profile.base) {
        document["base"] = base_object(*profile.base);
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
