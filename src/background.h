// SPDX-License-Identifier: MIT
//
// The one thread of our own (HOTLANE_BACKGROUND): does the upkeep of a program that is idle.
// Must not know what upkeep does.
// Called by upkeep after a tick, never while the library is being loaded or set up; and by fork.
#pragma once

namespace hotlane::background {

/// Starts the thread if it is not running. The caller holds no lock.
void ensure_running();
/// The child of a fork has no such thread; the next tick starts it.
void forget_in_child();

}  // namespace hotlane::background
