// SPDX-License-Identifier: MIT
//
// The file in which this process publishes its counters for `hotlane ps`, `top` and `serve` (HOTLANE_LIVE).
#pragma once

#include "live/layout.h"

namespace hotlane::live {

/// Whether HOTLANE_LIVE asks for it.
bool wanted();

/// Creates the file. Says on standard error if that is impossible. Called once, when the process starts.
void start();
/// Publishes the counters if the last time is long enough ago. In a forked child, also creates its file, a
/// little later than the fork: most children execute another program at once. One thread at a time may call it,
/// and not inside a critical section. `time_ns` is of CLOCK_MONOTONIC.
void publish_if_due(uint64_t now_ns);
/// Answers the request in the mailbox, if there is one. Only the background thread calls it, because answers
/// may load the unwinder and write files.
void answer();

/// In a forked child: forgets the parent's file. Takes no lock.
void forget_in_child();
/// Removes the file, at exit.
void end();

}  // namespace hotlane::live
