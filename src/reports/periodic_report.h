// SPDX-License-Identifier: MIT
//
// What is told while the process runs: the statistics file, rewritten each interval, and the alarm.
// Must not know how a report looks.
// Called after a tick of the upkeep and by the background thread; started by process.
#pragma once

#include "base/base.h"
#include "hotlane/hotlane.h"

namespace hotlane::live {

/// The reports are this process's. Starts the thread that the options ask for: HOTLANE_BACKGROUND_THREAD, an
/// interval, or a signal that a waiting program is to answer. Once, after the options are known, where there
/// is to be a report or a thread.
void start();
/// After it nothing is written by the clock: the report at exit is the last one. Waits for what is being
/// written, a second at most.
void end();
/// In the child of a fork, which has no thread of the parent's.
void restart_in_child();

/// A forked child counts on and stays silent, unless the file's name (%p) sets it apart from its parent's.
bool reports_here();

/// As hotlane_alarm_set().
void set_alarm(double below, uint64_t least_gets, hotlane_alarm call, void* context);

}  // namespace hotlane::live
