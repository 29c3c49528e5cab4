// SPDX-License-Identifier: MIT
//
// The report: a snapshot as text for people, as JSON, or as Prometheus' text format, and where it is written.
// Knows nothing of how the numbers came about, nor of when a report is due.
// Called by process at exit, by the interval's upkeep and by the C API.
#pragma once

#include "options/config.h"
#include "stats/stats.h"
#include "text/writer.h"

namespace hotlane {

/// The whole report; nothing for StatsFormat::off.
void write_report(Writer& out, const Snapshot& snapshot, StatsFormat format);

/// A table of at most 24 lines and 100 columns, every line starting with "hotlane: ".
void write_text_report(Writer& out, const Snapshot& snapshot);
/// One document; its form is described in report_json.cpp.
void write_json_report(Writer& out, const Snapshot& snapshot);
/// Text exposition format 0.0.4.
void write_prometheus_report(Writer& out, const Snapshot& snapshot);

/// One line when fewer than `alarm_percent` of at least 10,000 requests hit: which class misses most, and
/// which option would help. `cache_bytes`: the present HOTLANE_THREAD_CACHE. True when there was something to say.
bool write_hit_alarm(Writer& out, const Snapshot& snapshot, double alarm_percent, size_t cache_bytes);

/// Writes the report into the file that `pattern` names, as a whole or not at all (output_file.h). False,
/// after one line on stderr, when that failed.
bool write_report_file(const char* pattern, const Snapshot& snapshot, StatsFormat format);

}  // namespace hotlane
