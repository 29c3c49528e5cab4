// SPDX-License-Identifier: MIT
//
// Every counter of every tier, read at one moment.
// Must not know how it is printed.
// Called by process at exit, by mallinfo and its kin, and by the C API.
#pragma once

#include "observe/stats.h"

namespace hotlane {

/// Any thread, any time; takes locks, one after the other. `snapshot` starts out empty.
void take_snapshot(Snapshot& snapshot);

}  // namespace hotlane
