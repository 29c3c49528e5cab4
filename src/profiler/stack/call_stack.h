// SPDX-License-Identifier: MIT
//
// Stacks as lines of a message: each call by its address, its file and the offset in it.
// Knows nothing of mistakes.
// Called by misuse, through a pointer, and by guard_report: under any lock, in a signal handler.
#pragma once

#include "text/writer.h"

namespace hotlane {

/// A line for each return address:
///   hotlane:   at 0x7f3c2a1b4c3d /usr/lib/x86_64-linux-gnu/libfoo.so+0x4c3d
/// The address is inside the call; behind the file stands what addr2line takes. Allocates nothing, takes no
/// lock.
void write_frames(Writer& out, const uintptr_t* frames, size_t count);

/// The same of the calling thread: at most 16 frames, the innermost first, those of our own library left out.
void write_call_stack(Writer& out);

}  // namespace hotlane
