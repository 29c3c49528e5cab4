// SPDX-License-Identifier: MIT
//
// Writes stacks as lines of a message, each with an address, its file and the offset in the file. May be
// called under any lock and in a signal handler.
#pragma once

#include "text/writer.h"

namespace hotlane {

/// Writes a line for each return address:
///   hotlane:   at 0x7f3c2a1b4c3d /usr/lib/x86_64-linux-gnu/libfoo.so+0x4c3d
/// The address is inside the call instruction. The part after the file name can be given to addr2line.
/// Allocates nothing, takes no lock.
void write_frames(Writer& out, const uintptr_t* frames, size_t count);

/// The same for the calling thread: at most 16 frames, the innermost first, without those of this library.
void write_call_stack(Writer& out);

}  // namespace hotlane
