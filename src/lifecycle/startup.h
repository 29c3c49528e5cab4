// SPDX-License-Identifier: MIT
//
// The start of hotlane: reads the options and sets up every tier with its settings.
#pragma once

#include "options/config.h"

namespace hotlane {

/// Reads the options if that has not been done. Called when the process starts, before the program can change
/// its environment. The rest of the start waits for the first request, which in some processes never comes.
void ensure_configured();
/// Sets everything up if that has not been done. Any thread may call it; usually the first request does.
void ensure_started();
/// CLOCK_MONOTONIC, in nanoseconds, when the options were read, if a report is wanted; otherwise at the first request.
uint64_t started_at_ns();
/// The options in force; before they are read, the defaults.
const Config& config();

/// Sets a function that is called after every maintenance pass, by the thread that ran it, without any lock.
void call_after_passes(void (*listener)(uint64_t now_ns));

/// Held while fork() runs.
void lock_startup_for_fork();
void unlock_startup_after_fork();

}  // namespace hotlane
