// SPDX-License-Identifier: MIT
//
// The calling thread's stack as text: where a mistake was made.
// Knows nothing of mistakes.
// Called by misuse, through a pointer: under any lock, in a signal handler.
#pragma once

#include "base/writer.h"

namespace hotlane {

/// A line for each of at most 16 frames, the innermost first, those of our own library left out:
///   hotlane:   at 0x7f3c2a1b4c3d /usr/lib/x86_64-linux-gnu/libfoo.so+0x4c3d
/// The address is inside the call; behind the file stands what addr2line takes. Allocates nothing, takes no
/// lock.
void write_call_stack(Writer& out);

}  // namespace hotlane
