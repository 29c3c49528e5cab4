// SPDX-License-Identifier: MIT
//
// In libhotlane.a, an object of its own: our fork handlers are registered before the constructors of any
// library. Must not know what the handlers do. Only an executable can have this, so the archive's other
// objects do not need it; hotlane.pc and CMake's target ask for it by name. Called by the loader.
#include "atfork.h"

extern "C" [[gnu::section(".preinit_array"),
             gnu::used]] void (*const hotlane_preinit)() = hotlane::register_fork_handlers;
