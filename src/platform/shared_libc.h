// SPDX-License-Identifier: MIT
//
// What only the shared libc can do: open another library, and look up a name.
// Knows nothing of which.
// Used for the unwinder, for a C++ runtime that came late, for fork handlers, and to tell whether there is a
// loader.
#pragma once

#include <dlfcn.h>
#include <pthread.h>

// By names with a version, which only the shared libc has: a static executable has a dlsym too, but the
// linker warns of it, and what its dlopen opens may crash. A sanitizer has its own, without a version.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HOTLANE_AS(name) asm(#name)
#else
#define HOTLANE_AS(name)
asm(".symver hotlane_shared_dlsym, dlsym@GLIBC_2.34\n");
#endif

// libc's pthread_atfork() of old, which it has for x86-64 alone: what it registers is libc's own.
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
asm(".symver hotlane_shared_atfork, pthread_atfork@GLIBC_2.2.5\n");
#endif

extern "C" {
[[gnu::weak]] extern decltype(pthread_atfork) hotlane_shared_atfork;
[[gnu::weak]] extern decltype(dlsym) hotlane_shared_dlsym HOTLANE_AS(dlsym);
}

#undef HOTLANE_AS

namespace hotlane {

inline bool has_shared_libc() { return hotlane_shared_dlsym != nullptr; }

/// dlopen(), null where there is no shared libc. libhotlane.so defines the name: where such a library has
/// symbol versions, GNU ld 2.40 makes an empty symbol of a reference to dlopen@GLIBC_2.34, and warns of it
/// ever after.
inline void* open_shared(const char* library, int flags) {
    if (!has_shared_libc()) {
        return nullptr;
    }
    const auto open = reinterpret_cast<decltype(&dlopen)>(hotlane_shared_dlsym(RTLD_DEFAULT, "dlopen"));
    return open != nullptr ? open(library, flags) : nullptr;
}

}  // namespace hotlane
