// SPDX-License-Identifier: MIT
//
// Start: options become numbers, and every tier gets its own.
// Must not know what is allocated afterwards.
// Called by the slow paths of allocator, before anything else they do, and by process.
#pragma once

#include "options/config.h"

namespace hotlane {

/// Reads the options if that has not been done: at once when the process starts, before the program changes
/// its environment. The rest can wait until something is asked for, and in some processes nothing ever is.
void ensure_configured();
/// Sets everything up if that has not been done. Any thread; the first request of the process usually.
void ensure_started();
/// CLOCK_MONOTONIC when that happened.
uint64_t started_at_ns();
/// The options in force; the defaults until then.
const Config& config();

/// From now on called after every tick of the upkeep, on whichever thread did it, without any lock.
void call_after_passes(void (*listener)(uint64_t now_ns));

/// Held while fork() runs.
void lock_startup_for_fork();
void unlock_startup_after_fork();

}  // namespace hotlane
