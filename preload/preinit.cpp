// SPDX-License-Identifier: MIT
//
// For libhotlane.a: registers our fork handlers before the constructors of any library. Only an executable
// can have a .preinit_array, so this is a separate object that no other object of the archive needs.
// hotlane.pc and the CMake target request it by name.
#include "atfork.h"

extern "C" [[gnu::section(".preinit_array"),
             gnu::used]] void (*const hotlane_preinit)() = hotlane::register_fork_handlers;
