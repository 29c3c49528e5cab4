// SPDX-License-Identifier: MIT
//
// Writes the report in Prometheus' text exposition format 0.0.4, which node_exporter's textfile collector
// reads.
#include "options/labels.h"
#include "reports/report.h"
#include "stats/metrics.h"

#include <cstring>

namespace hotlane {

namespace {

void write_family(Writer& out, const char* series, const char* help, const char* type) {
    out.text("# HELP ").text(series).text(" ").text(help).text("\n");
    out.text("# TYPE ").text(series).text(" ").text(type).text("\n");
}

/// Writes the labels that every series has. Without them the files of two processes in one directory would
/// contain the same series; a collector takes one of them and reports the others as errors.
void write_common_labels(Writer& out, const Snapshot& snapshot) {
    out.text("program=").label_value({snapshot.program, strnlen(snapshot.program, sizeof snapshot.program)});
    out.text(",pid=\"").signed_number(snapshot.process_id).text("\"");
    for (std::string_view rest = snapshot.label_list(); !rest.empty();) {
        const Label label = take_label(rest);
        out.text(",").text(label.name).text("=").label_value(label.value);
    }
}

/// Writes one series. `own` is the label that distinguishes the series of a family, or null.
void write_series(Writer& out, const Metric& metric, const Snapshot& snapshot, size_t index,
                  const char* own = nullptr, std::string_view value = {}) {
    out.text(metric.series).text("{");
    if (own != nullptr) {
        out.text(own).text("=").label_value(value).text(",");
    }
    write_common_labels(out, snapshot);
    out.text("} ");
    write_metric_value(out, metric, metric_value(metric, snapshot, index));
    out.text("\n");
}

void write_class_series(Writer& out, const Metric& metric, const Snapshot& snapshot) {
    for (size_t i = 1; i < snapshot.class_count; ++i) {
        const ClassStats& stats = snapshot.classes[i];
        if (stats.used()) {
            char digits[24];
            Writer size{digits, sizeof digits};
            size.number(stats.object_size);
            write_series(out, metric, snapshot, i, "class", {digits, size.bytes_written()});
        }
    }
}

void write_forward_series(Writer& out, const Metric& metric, const Snapshot& snapshot) {
    for (size_t i = 0; i < kFallbackReasons; ++i) {
        write_series(out, metric, snapshot, i, "reason", kFallbackReasonNames[i]);
    }
}

void write_pool_series(Writer& out, const Metric& metric, const Snapshot& snapshot) {
    for (size_t i = 0; i < snapshot.pool_count; ++i) {
        write_series(out, metric, snapshot, i, "pool", snapshot.pools[i].name);
    }
}

void write_arena_series(Writer& out, const Metric& metric, const Snapshot& snapshot) {
    for (size_t i = 0; i < snapshot.arena_count; ++i) {
        write_series(out, metric, snapshot, i, "arena", snapshot.arenas[i].name);
    }
}

/// Writes a constant series that tells which processes exist.
void write_process(Writer& out, const Snapshot& snapshot) {
    write_family(out, "hotlane_process_info", "The process that these numbers are of.", "gauge");
    out.text("hotlane_process_info{");
    write_common_labels(out, snapshot);
    out.text("} 1\n");
}

}  // namespace

void write_prometheus_report(Writer& out, const Snapshot& snapshot) {
    write_process(out, snapshot);
    for (const Metric& metric : metrics()) {
        if (metric.series[0] == '\0') {
            continue;
        }
        write_family(out, metric.series, metric.help,
                     metric.type == MetricType::counter ? "counter" : "gauge");
        if (metric.scope == MetricScope::size_class) {
            write_class_series(out, metric, snapshot);
        } else if (metric.scope == MetricScope::fallback_allocation) {
            write_forward_series(out, metric, snapshot);
        } else if (metric.scope == MetricScope::pool) {
            write_pool_series(out, metric, snapshot);
        } else if (metric.scope == MetricScope::arena) {
            write_arena_series(out, metric, snapshot);
        } else {
            write_series(out, metric, snapshot, 0);
        }
    }
}

}  // namespace hotlane
