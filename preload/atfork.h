// SPDX-License-Identifier: MIT
//
// Fork handlers: how ours are registered, and that they are the first.
// Must not know what they do.
// Used by process; the library and the archive each have their own file behind it.
#pragma once

namespace hotlane {

/// Registers ours unless that has been done (process.cpp). Any thread, any moment from relocation on.
void register_fork_handlers();

/// Registers these as the library's own.
void register_own_atfork(void (*before)(), void (*in_parent)(), void (*in_child)());

}  // namespace hotlane
