// SPDX-License-Identifier: MIT
//
// Reports while the process runs: rewrites the statistics file at an interval.
#pragma once

#include "base/base.h"

namespace hotlane::periodic_report {

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

/// From now on, files that are due are written after each maintenance pass, and the hit rate alarm is
/// checked. start() does this if there is a file to write.
void watch_passes();

}  // namespace hotlane::periodic_report
