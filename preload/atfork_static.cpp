// SPDX-License-Identifier: MIT
//
// In libhotlane.a: our fork handlers are registered before every other constructor of the executable.
// Must not know what the handlers do. Constructors of shared libraries run before: see preinit.cpp.
// Called by process, and when the executable starts.
#include "atfork.h"

#include <pthread.h>

namespace hotlane {

void register_own_atfork(void (*before)(), void (*in_parent)(), void (*in_child)()) {
    pthread_atfork(before, in_parent, in_child);
}

namespace {
// As a constructor with priority 0, which the compiler keeps for itself and its like.
[[gnu::section(".init_array.00000"), gnu::used]] void (*const first_constructor)() = register_fork_handlers;
}  // namespace

}  // namespace hotlane
