// SPDX-License-Identifier: MIT
//
// The metrics: one table with a row for each, from which the text, JSON and Prometheus reports are made. To
// add a metric, add a row in metrics.cpp.
#pragma once

#include "stats/stats.h"
#include "text/writer.h"

#include <span>

namespace hotlane {

/// What a metric counts.
enum class MetricScope : uint8_t { size_class, fallback_allocation, pool, arena, total, memory, process };
enum class MetricType : uint8_t { counter, gauge };
/// A metric's value is an integer: a count, bytes, nanoseconds, or a share in billionths. Reports print
/// nanoseconds as seconds and billionths as a share of 1.
enum class MetricUnit : uint8_t { count, bytes, nanoseconds, billionths };

/// A row of the table. The texts are arrays, not pointers, so that the loader has nothing to relocate at
/// start-up.
struct Metric {
    MetricScope scope;
    MetricType type;
    MetricUnit unit;
    bool additive;    // a sum over classes, pools or arenas is meaningful
    char key[24];     // in JSON
    char series[40];  // in Prometheus; empty if it is the sum of a labelled series, which Prometheus computes
    char column[12];  // heading in the text report's table of its scope; empty if not shown
    char help[88];
    uint8_t table = 1;  // which of the text report's tables of pools has the column
};

/// The table, in the order in which reports show it.
std::span<const Metric> metrics();

/// The value of a row of the table. `index` selects the class, the reason of fallback allocations, the pool or
/// the arena, if the scope of the row has several.
uint64_t metric_value(const Metric& metric, const Snapshot& snapshot, size_t index = 0);
/// The value of a row of scope size_class for given counts, which may be a sum of several classes.
uint64_t class_metric_value(const Metric& metric, const ClassStats& stats);

/// Writes the value as JSON and Prometheus show it: integers, and seconds or shares of 1 with nine decimals.
void write_metric_value(Writer& out, const Metric& metric, uint64_t value);

}  // namespace hotlane
