// SPDX-License-Identifier: MIT
//
// What is told while the process runs: the statistics file, rewritten each interval, and the alarm.
// Must not know how a report looks.
// Called after a tick of the upkeep; started by process.
#pragma once

#include "base/base.h"
#include "hotlane/hotlane.h"

namespace hotlane::live {

/// The reports are this process's. Once, after the options are known, where there is to be a report.
void start();

/// A forked child counts on and stays silent, unless the file's name (%p) sets it apart from its parent's.
bool reports_here();

/// Rewrites HOTLANE_STATS_FILE when HOTLANE_STATS_INTERVAL has passed since the last time.
void report_if_due(uint64_t now_ns);

/// As hotlane_alarm_set().
void set_alarm(double below, uint64_t least_gets, hotlane_alarm call, void* context);

}  // namespace hotlane::live
