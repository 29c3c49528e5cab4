// SPDX-License-Identifier: MIT
//
// Sessions of profiling: when they begin and end, and when a profile is written into which file.
// Must not know how a profile is taken or what is in the file.
// Called by process, by the C API, and after a tick of the upkeep.
#pragma once

#include "base/base.h"

namespace hotlane::profiling {

/// What the options ask for, a session from now on or at a signal. Once, when the process starts, if they do.
void set_up();

/// One sample in `sample_bytes` from now on; 0: as HOTLANE_SAMPLE_INTERVAL says. False: no memory.
bool start(size_t sample_bytes);
void stop();
/// Writes the profile to `path`; null: to the file that HOTLANE_PROFILE names, or hotlane.%p.%n.heap. False,
/// after one line on stderr, when that failed, or silently when there is no profile.
bool dump(const char* path);

/// A session's profile at exit, where HOTLANE_PROFILE or a signal asked for one.
void at_exit();
/// What is due by the clock.
void tick(uint64_t now_ns);
/// Whether ticks are wanted in this process.
bool wants_ticks();

/// The child's profiles are numbered from 0 again, and are not its parent's.
void forget_in_child();

}  // namespace hotlane::profiling
