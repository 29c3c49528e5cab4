// SPDX-License-Identifier: MIT
//
// The options that `hotlane tune` recommends, and the figures that it predicts for them.
#pragma once

#include "cli/tune/class_table.h"
#include "cli/tune/run_figures.h"

#include <optional>

namespace hotlane::cli {

struct TuneGoals {
    unsigned classes = 40;
    uint32_t alignment = 0;  // 0: 16 only if it saves much more than 64
};

struct Plan {
    struct CacheLimit {
        uint32_t size;  // of the class
        uint64_t bytes;
        uint64_t swing;  // objects
    };
    struct WarmUp {
        uint32_t size;
        uint64_t count;
    };

    uint32_t alignment = 64;
    ClassSizes classes;
    std::vector<CacheLimit> cache_limits;
    std::vector<WarmUp> warm_ups;

    // Of the demand that the plan was made from.
    double live_bytes = 0;
    double rounding_before = 0;  // with the cache-line classes
    double rounding_after = 0;
    double rounding_other = 0;  // with the best table of the other alignment
    double rounding_compact = 0;
    double saved = 0;  // resident bytes
    bool many_threads = false;
};

/// `figures` has the counters of the same run; without them, only the classes are chosen.
Plan make_plan(const Demand& demand, const std::optional<RunFigures>& figures, const TuneGoals& goals);

/// The text of a file for HOTLANE_CONFIG. `program` is what was measured, `has_figures` whether its
/// counters were known.
std::string options_file(const Plan& plan, const std::string& program, bool has_figures);

}  // namespace hotlane::cli
