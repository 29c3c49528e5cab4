// SPDX-License-Identifier: MIT
//
// The one thread of our own (HOTLANE_BACKGROUND): does the upkeep of a program that is idle.
// Must not know what upkeep does.
// Called by the slow path of requests and by fork; never by that of free: glibc frees under the very lock
// that creating a thread takes.
#pragma once

namespace hotlane::background {

/// Starts the thread if it is not running and the process has been up for a moment. The caller holds no lock.
void ensure_running();
/// The child of a fork has no such thread; the next request that misses starts it.
void forget_in_child();

}  // namespace hotlane::background
