// SPDX-License-Identifier: MIT
//
// Reports while the process runs: the statistics file, rewritten at an interval, and the alarm about hit
// rates.
#pragma once

#include "base/base.h"
#include "hotlane/hotlane.h"

namespace hotlane::live {

/// Makes this process the one that reports, and starts the background thread if HOTLANE_BACKGROUND_THREAD, an
/// interval or a signal of a waiting program needs it. Called once, after the options are read.
void start();
/// Ends the periodic writing, so that the report at exit is the last one. Waits at most a second for a write
/// in progress.
void end();
/// Called in a forked child, which has none of the parent's threads.
void restart_in_child();

/// Returns whether this process writes reports. A forked child does so only if the file's name contains %p,
/// so that the child does not overwrite its parent's file.
bool reports_here();

/// Implements hotlane_alarm_set().
void set_alarm(double below, uint64_t least_allocations, hotlane_alarm call, void* context);

}  // namespace hotlane::live
