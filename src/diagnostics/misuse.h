// SPDX-License-Identifier: MIT
//
// Reports wrong pointers that the program passed to free() and its relatives, and other mistakes of the
// program.
#pragma once

#include "options/config.h"
#include "text/writer.h"

#include <string_view>

namespace hotlane {

enum class Misuse : uint8_t { foreign_pointer, interior_pointer, double_free };

/// The name of the exported function that the program called, for the message.
using Operation = const char*;

/// Whether the process ends after a message. Called once, at start.
void set_on_error(OnError choice);
/// Sets the function that writes the stack of the calling thread, a line for each frame. Without it, reports
/// have no stack.
void set_stack_writer(void (*write_stack)(Writer& out));

/// Writes a line to stderr with the program, the process and the mistake, and then the stack. Then calls
/// abort(), or returns if the user chose `warn`. Of many mistakes only the first 1,000 are reported, and only
/// the first 16 have a stack. Allocates nothing, waits for no lock.
void report_mistake(std::string_view what);

/// Reports a pointer. If this returns, the caller must ignore the pointer. `object_size` is for interior
/// pointers, bytes.
void report_misuse(Misuse kind, Operation operation, const void* p, size_t object_size);

/// The same for a thread that holds locks of ours. If the process ends, a handler of SIGABRT may allocate on
/// this thread, and would wait for these locks.
void report_misuse_under_locks(Misuse kind, Operation operation, const void* p, size_t object_size);
/// Whether that happened. If so, no lock may be waited for any more.
bool locks_are_lost();

}  // namespace hotlane
