// SPDX-License-Identifier: MIT
//
// The metrics: one table, a row each, that the text, JSON and Prometheus reports are made from.
// Knows nothing of how a report looks or where it goes.
// Used by report_text, report_json, report_prometheus; a new metric is one row in metrics.cpp.
#pragma once

#include "stats/stats.h"
#include "text/writer.h"

#include <span>

namespace hotlane {

/// What a metric is counted for.
enum class MetricScope : uint8_t { size_class, fallback_allocation, pool, total, memory, process };
enum class MetricType : uint8_t { counter, gauge };
/// A metric's value is an integer: a count, bytes, nanoseconds, or a share in billionths. Reports print
/// nanoseconds as seconds and billionths as a share of 1.
enum class MetricUnit : uint8_t { count, bytes, nanoseconds, billionths };

/// A row. The texts are arrays, not pointers: nothing for the loader to relocate at start-up.
struct Metric {
    MetricScope scope;
    MetricType type;
    MetricUnit unit;
    bool additive;    // the sum over classes, or over pools, means something
    char key[24];     // in JSON
    char series[40];  // in Prometheus; empty: the sum of a labelled series, which Prometheus makes itself
    char column[12];  // heading in the text report's table of classes, or of pools; empty: not there
    char help[88];
};

/// The table, in the order in which it is shown.
std::span<const Metric> metrics();

/// The value of a row of the table: of the class, or of the fallback allocations, with the given index where its scope
/// has one.
uint64_t metric_value(const Metric& metric, const Snapshot& snapshot, size_t index = 0);
/// The value of a row whose scope is size_class, of any class (a sum of several, say).
uint64_t class_metric_value(const Metric& metric, const ClassStats& stats);

/// As JSON and Prometheus print it: integers, seconds and shares of 1 with nine decimals.
void write_metric_value(Writer& out, const Metric& metric, uint64_t value);

}  // namespace hotlane
