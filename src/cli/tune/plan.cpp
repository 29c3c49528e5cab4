// SPDX-License-Identifier: MIT
//
// Chooses classes, limits of caches and warm-ups, and writes them as a file of options.
#include "cli/tune/plan.h"

#include "cli/text/quantity.h"
#include "maintenance/tuning.h"
#include "options/config.h"
#include "text/units.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace hotlane::cli {

namespace {

std::string size_option(uint64_t bytes) {
    char text[32];
    Writer out{text, sizeof text};
    write_size(out, bytes);
    return {text, out.bytes_written()};
}

/// Objects with 16-byte alignment may share cache lines between threads. That has to be worth something: at
/// least a twentieth of the live bytes.
uint32_t better_alignment(const Plan& at_64, const Plan& at_16) {
    constexpr double kWorthwhile = 0.05;
    return at_64.rounding_after - at_16.rounding_after > kWorthwhile * at_64.live_bytes ? 16 : 64;
}

Plan plan_classes(const Demand& demand, unsigned most, uint32_t alignment) {
    Plan plan;
    plan.alignment = alignment;
    plan.classes = best_classes(demand, most, alignment);
    plan.live_bytes = live_bytes(demand);
    const ClassSizes before = cacheline_classes();
    plan.rounding_before = rounding_bytes(demand, before);
    plan.rounding_after = rounding_bytes(demand, plan.classes);
    plan.rounding_compact = rounding_bytes(demand, compact_classes());
    plan.saved = resident_bytes(demand, before) - resident_bytes(demand, plan.classes);
    return plan;
}

/// Gives each class whose swing is larger than what a thread keeps the limit that the swing needs. Smaller limits are not proposed: a lane that only fills, without a swing, needs
/// its size for few and large refills.
void plan_cache_limits(Plan& plan, const RunFigures& figures) {
    std::vector<uint64_t> swings(plan.classes.size(), 0);
    for (const auto& [size, counts] : figures.classes) {
        uint64_t& swing = swings[class_for(plan.classes, size)];
        swing = std::max(swing, counts.swing);
    }
    for (size_t i = 0; i < swings.size(); ++i) {
        const uint32_t size = plan.classes[i];
        const auto swing = static_cast<uint32_t>(std::min<uint64_t>(swings[i], UINT16_MAX));
        const uint64_t wanted = tuning::capacity_for_swing(swing);
        if (swing > tuning::largest_capacity(size, CacheLimits{}.bytes)) {
            plan.cache_limits.push_back({.size = size, .bytes = wanted * size, .swing = swings[i]});
        }
    }
}

/// Each thread is warmed up, so this is for programs with few of them. The objects would all be allocated in
/// the first second anyway, and are no more than a thread's cache holds.
void plan_warm_ups(Plan& plan, const Demand& demand, const RunFigures& figures) {
    constexpr uint64_t kMostThreads = 4;
    constexpr uint64_t kFewestObjects = 8;
    constexpr size_t kMostBytes = 64 * KiB;  // of a class
    plan.many_threads = figures.threads > kMostThreads;
    if (plan.many_threads) {
        return;
    }
    std::vector<double> early(plan.classes.size(), 0);
    for (const SizeDemand& row : demand) {
        early[class_for(plan.classes, row.size)] += row.early;
    }
    for (size_t i = 0; i < early.size(); ++i) {
        const uint32_t size = plan.classes[i];
        const uint64_t room = tuning::largest_capacity(size, kMostBytes);
        const auto count = static_cast<uint64_t>(std::min(std::floor(early[i]), static_cast<double>(room)));
        if (count >= kFewestObjects) {
            plan.warm_ups.push_back({.size = size, .count = count});
        }
    }
    std::sort(plan.warm_ups.begin(), plan.warm_ups.end(),
              [](const auto& a, const auto& b) { return a.count * a.size > b.count * b.size; });
    plan.warm_ups.resize(std::min(plan.warm_ups.size(), Config::kWarmupCapacity));
    std::sort(plan.warm_ups.begin(), plan.warm_ups.end(),
              [](const auto& a, const auto& b) { return a.size < b.size; });
}

std::string rounding_text(double bytes, double of) {
    return size_text(rounded_bytes(bytes)) + ", " + share_text(rounded_bytes(bytes), rounded_bytes(of)) +
           " of what was requested";
}

std::string classes_text(const Plan& plan) {
    const uint32_t other = plan.alignment == 64 ? 16 : 64;
    std::string text = "# " + size_text(rounded_bytes(plan.live_bytes)) +
                       " in requests of up to 64 KiB were live at the peak. Rounding to classes lost\n"
                       "#   cacheline  " +
                       rounding_text(plan.rounding_before, plan.live_bytes) + "\n#   compact    " +
                       rounding_text(plan.rounding_compact, plan.live_bytes) + "\n#   this table " +
                       rounding_text(plan.rounding_after, plan.live_bytes) +
                       "\n# The best table of as many classes with an alignment of " + std::to_string(other) +
                       " bytes loses " + size_text(rounded_bytes(plan.rounding_other)) + ".\n";
    text += plan.alignment == 64 ? "# No two objects share a cache line.\n"
                                 : "# Objects of several threads may share a cache line.\n";
    text += "HOTLANE_SIZE_CLASSES=";
    for (size_t i = 0; i < plan.classes.size(); ++i) {
        text += i == 0 ? "" : ",";
        text += std::to_string(plan.classes[i]);
    }
    return text + "\n";
}

std::string cache_text(const Plan& plan) {
    if (plan.cache_limits.empty()) {
        return "\n# The caches of the threads are large enough for every class.\n";
    }
    std::string text =
        "\n# More objects of these classes left a thread's cache and came back than it keeps:\n";
    std::string value = "HOTLANE_THREAD_CACHE=" + size_option(CacheLimits{}.bytes);
    for (const Plan::CacheLimit& limit : plan.cache_limits) {
        text.append("#   ").append(std::to_string(limit.size)).append(" bytes: ");
        text.append(std::to_string(limit.swing)).append(" objects\n");
        value.append(",").append(std::to_string(limit.size)).append("=").append(size_option(limit.bytes));
    }
    return text + value + "\n";
}

std::string warm_up_text(const Plan& plan) {
    if (plan.many_threads) {
        return "\n# No warm-up: it would be repeated for each of the many threads.\n";
    }
    if (plan.warm_ups.empty()) {
        return "\n# No warm-up: the first second needs few objects.\n";
    }
    std::string text = "\n# Objects that were live in the first second, as many as a thread's cache holds.\n"
                       "HOTLANE_WARMUP=";
    const char* separator = "";
    for (const Plan::WarmUp& entry : plan.warm_ups) {
        text.append(separator).append(std::to_string(entry.size)).append(":");
        text.append(std::to_string(entry.count));
        separator = ",";
    }
    return text + "\n";
}

}  // namespace

Plan make_plan(const Demand& demand, const std::optional<RunFigures>& figures, const TuneGoals& goals) {
    const std::array<Plan, 2> plans{plan_classes(demand, goals.classes, 64),
                                    plan_classes(demand, goals.classes, 16)};
    const uint32_t alignment = goals.alignment != 0 ? goals.alignment : better_alignment(plans[0], plans[1]);
    Plan plan = plans[alignment == 64 ? 0 : 1];
    plan.rounding_other = plans[alignment == 64 ? 1 : 0].rounding_after;
    if (figures) {
        plan_cache_limits(plan, *figures);
        plan_warm_ups(plan, demand, *figures);
    }
    return plan;
}

std::string options_file(const Plan& plan, const std::string& program, bool has_figures) {
    return "# Options of hotlane for " + program + ", computed from a run by `hotlane tune`.\n" +
           "# Use: HOTLANE_CONFIG=FILE, or hotlane run --config=FILE PROGRAM\n\n" + classes_text(plan) +
           (has_figures ? cache_text(plan) + warm_up_text(plan) : std::string{});
}

}  // namespace hotlane::cli
