// SPDX-License-Identifier: MIT
//
// What is said, and done, when the program hands us a pointer it must not.
// Knows nothing of the tiers that notice it.
// Called by depot and allocator.
#pragma once

#include "options/config.h"
#include "text/writer.h"

#include <string_view>

namespace hotlane {

enum class Misuse : uint8_t { foreign_pointer, interior_pointer, double_free };

/// Which exported function the program called, for the message.
using Operation = const char*;

/// Chosen once, at start: whether the process ends after the message.
void set_on_error(OnError choice);
/// What writes the stack of the calling thread, a line for each frame; without it there is none.
void set_stack_writer(void (*write_stack)(Writer& out));

/// Says what is wrong on stderr, in one line that names the program and the process, then where: the stack.
/// Then abort(), or return when the user chose `warn`. Of many mistakes the first 16 have a stack, and the
/// first 1,000 are told. Allocates nothing, waits for no lock.
void report_mistake(std::string_view what);

/// The same of a pointer that the program handed us; after the return the caller leaves it alone.
/// `object_size` in bytes, for interior pointers.
void report_misuse(Misuse kind, Operation operation, const void* p, size_t object_size);

/// The same by a thread that holds locks of ours. Should the process end, a handler of SIGABRT that allocates
/// runs on that thread and would wait for them.
void report_misuse_under_locks(Misuse kind, Operation operation, const void* p, size_t object_size);
/// Whether that happened: no lock may be waited for any more.
bool locks_are_lost();

}  // namespace hotlane
