// SPDX-License-Identifier: MIT
//
// The report of the counters as text for people, as JSON, or in Prometheus' text format.
#pragma once

#include "options/config.h"
#include "stats/stats.h"
#include "text/writer.h"

namespace hotlane {

/// Writes the whole report. Writes nothing for StatsFormat::off.
void write_report(Writer& out, const Snapshot& snapshot, StatsFormat format);

/// Writes a table of at most 24 lines and 100 columns. Every line starts with "hotlane: ".
void write_text_report(Writer& out, const Snapshot& snapshot);
/// Writes one JSON document. report_json.cpp describes its structure.
void write_json_report(Writer& out, const Snapshot& snapshot);
/// Writes Prometheus' text exposition format 0.0.4.
void write_prometheus_report(Writer& out, const Snapshot& snapshot);

/// Writes one line when the hit rate of at least 10,000 requests is below `alarm_percent`: the class with the
/// most misses, and the option that would help. `limits` is the value of HOTLANE_THREAD_CACHE. Returns whether
/// a line was written.
bool write_hit_alarm(Writer& out, const Snapshot& snapshot, double alarm_percent, const CacheLimits& limits);

/// Writes a line for each of at most four names of pools that had a hit rate below `alarm_percent` in at least
/// 100 requests, with the capacity that would have sufficed: the most objects that were wanted at once. A
/// request that was refused shows only that at least one more was wanted.
void write_pool_alarms(Writer& out, const Snapshot& snapshot, double alarm_percent);

/// Writes the report to the file that `pattern` names, completely or not at all (output_file.h). Returns
/// false after a line on standard error when that failed.
bool write_report_file(const char* pattern, const Snapshot& snapshot, StatsFormat format);

}  // namespace hotlane
