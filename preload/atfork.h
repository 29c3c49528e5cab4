// SPDX-License-Identifier: MIT
//
// Registers our fork handlers before those of everybody else. The shared library and the archive each
// implement this in a file of their own.
#pragma once

namespace hotlane {

/// Registers our handlers if that has not been done (process.cpp). Any thread, any time after relocation.
void register_fork_handlers();

/// Registers these functions as handlers of this library.
void register_own_atfork(void (*before)(), void (*in_parent)(), void (*in_child)());

}  // namespace hotlane
