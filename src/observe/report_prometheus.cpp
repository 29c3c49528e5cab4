// SPDX-License-Identifier: MIT
//
// The report in Prometheus' text exposition format 0.0.4, as node_exporter's textfile collector reads it.
// Knows nothing of where it is written.
// Called by write_report.
#include "observe/metrics.h"
#include "observe/report.h"

#include <cstring>

namespace hotlane {

namespace {

void write_family(Writer& out, const char* series, const char* help, const char* type) {
    out.text("# HELP ").text(series).text(" ").text(help).text("\n");
    out.text("# TYPE ").text(series).text(" ").text(type).text("\n");
}

void write_class_series(Writer& out, const Metric& metric, const Snapshot& snapshot) {
    for (size_t i = 1; i < snapshot.class_count; ++i) {
        const ClassStats& stats = snapshot.classes[i];
        if (stats.used()) {
            out.text(metric.series).text("{class=\"").number(stats.object_size).text("\"} ");
            write_metric_value(out, metric, metric_value(metric, snapshot, i));
            out.text("\n");
        }
    }
}

void write_forward_series(Writer& out, const Metric& metric, const Snapshot& snapshot) {
    for (size_t i = 0; i < kForwardReasons; ++i) {
        out.text(metric.series).text("{reason=").quoted(kForwardReasonNames[i]).text("} ");
        write_metric_value(out, metric, metric_value(metric, snapshot, i));
        out.text("\n");
    }
}

void write_pool_series(Writer& out, const Metric& metric, const Snapshot& snapshot) {
    for (size_t i = 0; i < snapshot.pool_count; ++i) {
        out.text(metric.series).text("{pool=").quoted(snapshot.pools[i].name).text("} ");
        write_metric_value(out, metric, metric_value(metric, snapshot, i));
        out.text("\n");
    }
}

/// The program as labels of a constant, so that every other series stays one number per file.
void write_process(Writer& out, const Snapshot& snapshot) {
    write_family(out, "hotlane_process_info", "The process that these numbers are of.", "gauge");
    char program[sizeof snapshot.program];
    size_t length = 0;
    for (; length < sizeof program && snapshot.program[length] != '\0'; ++length) {
        // JSON's escapes for control characters are none of this format's.
        const char c = snapshot.program[length];
        program[length] = c >= 0 && c < ' ' ? '?' : c == 0x7f ? '?' : c;
    }
    out.text("hotlane_process_info{program=").quoted({program, length}).text(",pid=\"");
    out.signed_number(snapshot.process_id).text("\"} 1\n");
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
        } else if (metric.scope == MetricScope::forward) {
            write_forward_series(out, metric, snapshot);
        } else if (metric.scope == MetricScope::pool) {
            write_pool_series(out, metric, snapshot);
        } else {
            out.text(metric.series).text(" ");
            write_metric_value(out, metric, metric_value(metric, snapshot));
            out.text("\n");
        }
    }
}

}  // namespace hotlane
