// SPDX-License-Identifier: MIT
//
// A stack as lines of a message: each call by its file and the offset in it.
// Knows nothing of how stacks are taken.
// Used by guard_report.
#pragma once

#include "base/writer.h"

namespace hotlane {

/// Writes a line for each return address: "hotlane:     #0 libz.so.1.2.13+0x1a2b". The offset is that of the
/// call, for addr2line. Allocates nothing; waits for a library that is being loaded at this moment.
void write_stack(Writer& out, const uintptr_t* frames, size_t depth);

}  // namespace hotlane
