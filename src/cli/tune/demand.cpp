// SPDX-License-Identifier: MIT
//
// Reads the sizes of a dump, and adds those of several processes.
#include "cli/tune/demand.h"

#include "base/base.h"
#include "cli/text/text_file.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

namespace hotlane::cli {

Demand demand_of(const Dump& dump, const std::string& file) {
    constexpr int64_t kStep = 16;
    if (dump.size_step != kStep) {
        throw FileError{file +
                        " does not say which sizes were requested: it was written by another version of "
                        "hotlane, or by another allocator"};
    }
    Demand demand;
    for (const auto& [size, row] : dump.sizes) {
        if (size % kStep != 0 || size > static_cast<int64_t>(kLargestSmall)) {
            throw FileError{file + ": # size: " + std::to_string(size) +
                            " is not a multiple of 16 up to 65536"};
        }
        demand.push_back({.size = static_cast<uint32_t>(size),
                          .requests = static_cast<double>(row.requests),
                          .live = static_cast<double>(row.peak),
                          .live_bytes = static_cast<double>(row.peak_bytes),
                          .early = static_cast<double>(row.early)});
    }
    return demand;
}

void add_demand(Demand& sum, const Demand& other) {
    std::map<uint32_t, SizeDemand> by_size;
    for (const Demand* part : {static_cast<const Demand*>(&sum), &other}) {
        for (const SizeDemand& row : *part) {
            SizeDemand& total = by_size[row.size];
            total.size = row.size;
            total.requests += row.requests;
            total.live += row.live;
            total.live_bytes += row.live_bytes;
            total.early = std::max(total.early, row.early);
        }
    }
    sum.clear();
    for (const auto& [size, row] : by_size) {
        sum.push_back(row);
    }
}

double live_bytes(const Demand& demand) {
    return std::accumulate(demand.begin(), demand.end(), 0.0,
                           [](double sum, const SizeDemand& row) { return sum + row.live_bytes; });
}

int64_t rounded_bytes(double bytes) {
    constexpr double kMost = 9e18;
    return std::llround(std::clamp(bytes, -kMost, kMost));
}

}  // namespace hotlane::cli
