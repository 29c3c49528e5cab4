// SPDX-License-Identifier: MIT
//
// For libhotlane.a: registers our fork handlers before every other constructor of the executable. The
// constructors of shared libraries run before them; see preinit.cpp.
#include "atfork.h"

#include <pthread.h>

namespace hotlane {

void register_own_atfork(void (*before)(), void (*in_parent)(), void (*in_child)()) {
    pthread_atfork(before, in_parent, in_child);
}

namespace {
// The same as a constructor with priority 0. The compiler reserves that priority, so the section is named
// directly.
[[gnu::section(".init_array.00000"), gnu::used]] void (*const first_constructor)() = register_fork_handlers;
}  // namespace

}  // namespace hotlane
