// SPDX-License-Identifier: MIT
//
// What programs ask for: for each size, how many requests there were and what was live at the peak.
#pragma once

#include "cli/profile/dump.h"

#include <string>
#include <vector>

namespace hotlane::cli {

/// Requests of up to `size` bytes, and more than the next smaller size. Estimates.
struct SizeDemand {
    uint32_t size = 0;
    double requests = 0;
    double live = 0;        // objects at the peak
    double live_bytes = 0;  // requested, at the peak
    double early = 0;       // most live objects in the first second
};

/// In ascending order of size. The sizes are multiples of 16 up to 64 KiB.
using Demand = std::vector<SizeDemand>;

/// Returns the demand of one dump. Throws FileError (text_file.h) when the dump, read from `file`, has none.
Demand demand_of(const Dump& dump, const std::string& file);
/// Adds the demand of another process.
void add_demand(Demand& sum, const Demand& other);

double live_bytes(const Demand& demand);

/// The nearest whole number that an int64_t holds.
int64_t rounded_bytes(double bytes);

}  // namespace hotlane::cli
