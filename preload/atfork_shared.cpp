// SPDX-License-Identifier: MIT
//
// For libhotlane.so: interposes libc's registration of fork handlers, so that ours are registered before any
// other. This is necessary because constructors of linked libraries run before those of a preloaded one.
#include "atfork.h"
#include "export.h"
#include "lifecycle/fork.h"
#include "platform/libc/shared_libc.h"

#include <cerrno>
#include <cstdlib>
#include <gnu/libc-version.h>

// NOLINTNEXTLINE(bugprone-reserved-identifier,readability-identifier-naming)
extern "C" void* const __dso_handle;

namespace {

/// Calls libc's function. It is looked up by name, not at load time, because a reference would be bound to
/// our own definition.
int register_with_libc(void (*before)(), void (*in_parent)(), void (*in_child)(), void* library) {
    using Register = int (*)(void (*)(), void (*)(), void (*)(), void*);
    static constinit Register next = nullptr;
    if (next == nullptr && hotlane::has_shared_libc()) {
        next = reinterpret_cast<Register>(hotlane_shared_dlsym(RTLD_NEXT, "__register_atfork"));
    }
    return next != nullptr ? next(before, in_parent, in_child, library) : ENOMEM;
}

/// From 2.36 on, libc releases the lock of its handler table while a handler runs. Before 2.36, nobody can
/// register while our handlers run. A thread that registers must then not hold our lock while it waits for
/// libc's, because our handlers would wait for that thread.
bool libc_unlocks_for_handlers() {
    const char* version = gnu_get_libc_version();  // "2.36"
    return strtoul(version + 2, nullptr, 10) >= 36;
}

}  // namespace

// Every process passes here when it starts. dlsym costs two page faults, so it is used only if the direct
// reference is missing.
void hotlane::register_own_atfork(void (*before)(), void (*in_parent)(), void (*in_child)()) {
    if (hotlane_shared_atfork != nullptr) {
        hotlane_shared_atfork(before, in_parent, in_child);
    } else {
        register_with_libc(before, in_parent, in_child, __dso_handle);
    }
}

// NOLINTNEXTLINE(bugprone-reserved-identifier,readability-identifier-naming)
HOTLANE_EXPORT int __register_atfork(void (*before)(), void (*in_parent)(), void (*in_child)(),
                                     void* library) {
    hotlane::register_fork_handlers();
    if (libc_unlocks_for_handlers()) {
        hotlane::LockGuard guard(hotlane::fork_handlers_lock);
        return register_with_libc(before, in_parent, in_child, library);
    }
    return register_with_libc(before, in_parent, in_child, library);
}
