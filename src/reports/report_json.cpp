// SPDX-License-Identifier: MIT
//
// Writes the report as one JSON document, for programs:
//
//     {
//       "format": "hotlane-stats", "version": 2,
//       "process":  {"program": "python3", "pid": 4242, "labels": {"zone": "b"}, "run_time": 1.24, ...},
//       "totals":   {"allocations": 12, "frees": 10, "hits": 11, ...},
//       "fallback_allocations": {"large": {"count": 2, "bytes": 300000}, "alignment": {...}, ...},
//       "memory":   {"live": 128, ...},
//       "pools":    {"frames": {"size": 4096, "pools": 2, ...}, ...},
//       "arenas":   {"request": {"arenas": 1, "created": 20, ...}, ...},
//       "classes":  [{"size": 64, "allocations": 12, ...}, ...]
//     }
//
// Sizes are in bytes, times in seconds, and rates are fractions of 1. The classes are in ascending order of
// size; unused ones are omitted. The rows of metrics.cpp explain the keys. The version stays the same when
// keys are added, and rises when a key is removed or changes its meaning.
#include "options/labels.h"
#include "reports/report.h"
#include "stats/metrics.h"

#include <cstring>

namespace hotlane {

namespace {

/// Writes the metrics of one scope as members of an object. `separator` precedes the first member.
void write_members(Writer& out, MetricScope scope, const Snapshot& snapshot, size_t index,
                   const char* separator) {
    for (const Metric& metric : metrics()) {
        if (metric.scope == scope) {
            out.text(separator).quoted(metric.key).text(": ");
            write_metric_value(out, metric, metric_value(metric, snapshot, index));
            separator = ", ";
        }
    }
}

void write_labels(Writer& out, const Snapshot& snapshot) {
    out.text(", \"labels\": {");
    const char* separator = "";
    for (std::string_view rest = snapshot.label_list(); !rest.empty();) {
        const Label label = take_label(rest);
        out.text(separator).quoted(label.name).text(": ").quoted(label.value);
        separator = ", ";
    }
    out.text("}");
}

/// Writes an object for each of `count` rows of a scope, under its name.
template <class NameOf>
void write_named(Writer& out, MetricScope scope, const Snapshot& snapshot, size_t count, NameOf name_of) {
    const char* separator = "";
    for (size_t i = 0; i < count; ++i) {
        out.text(separator).text("\n    ").quoted(name_of(i)).text(": {");
        write_members(out, scope, snapshot, i, "");
        out.text("}");
        separator = ",";
    }
}

void write_classes(Writer& out, const Snapshot& snapshot) {
    const char* separator = "";
    for (size_t i = 1; i < snapshot.class_count; ++i) {
        const ClassStats& stats = snapshot.classes[i];
        if (stats.used()) {
            out.text(separator).text("\n    {\"size\": ").number(stats.object_size);
            write_members(out, MetricScope::size_class, snapshot, i, ", ");
            out.text("}");
            separator = ",";
        }
    }
}

}  // namespace

void write_json_report(Writer& out, const Snapshot& snapshot) {
    constexpr unsigned kVersion = 2;
    out.text("{\n  \"format\": \"hotlane-stats\",\n  \"version\": ").number(kVersion);
    out.text(",\n  \"process\": {\"program\": ");
    out.quoted({snapshot.program, strnlen(snapshot.program, sizeof snapshot.program)});
    out.text(", \"pid\": ").signed_number(snapshot.process_id);
    write_labels(out, snapshot);
    write_members(out, MetricScope::process, snapshot, 0, ", ");
    out.text("},\n  \"totals\": {");
    write_members(out, MetricScope::total, snapshot, 0, "");
    out.text("},\n  \"fallback_allocations\": {");
    write_named(out, MetricScope::fallback_allocation, snapshot, kFallbackReasons,
                [](size_t i) { return kFallbackReasonNames[i]; });
    out.text("\n  },\n  \"memory\": {");
    write_members(out, MetricScope::memory, snapshot, 0, "");
    out.text("},\n  \"pools\": {");
    write_named(out, MetricScope::pool, snapshot, snapshot.pool_count,
                [&](size_t i) { return snapshot.pools[i].name; });
    out.text("},\n  \"arenas\": {");
    write_named(out, MetricScope::arena, snapshot, snapshot.arena_count,
                [&](size_t i) { return snapshot.arenas[i].name; });
    out.text("},\n  \"classes\": [");
    write_classes(out, snapshot);
    out.text("\n  ]\n}\n");
}

}  // namespace hotlane
