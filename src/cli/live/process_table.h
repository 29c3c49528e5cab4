// SPDX-License-Identifier: MIT
//
// The table of `hotlane ps` and of the first screen of `hotlane top`.
#pragma once

#include "cli/live/live_process.h"

#include <string>
#include <vector>

namespace hotlane::cli {

/// The figures of a process between two looks at it, or since its start.
struct Rates {
    double requests = 0;  // for each second
    double frees = 0;
    double misses = 0;
    uint64_t hit_billionths = 0;
};

/// The rates between two states of one process. `before` may be null: since the start.
Rates rates_between(const live::Counters* before, const live::Counters& now);

std::string table_heading();
std::string table_row(const Published& process, const Rates& rates);

}  // namespace hotlane::cli
