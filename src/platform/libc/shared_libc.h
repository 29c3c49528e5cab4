// SPDX-License-Identifier: MIT
//
// Functions that only the shared libc has: it can open another library and look up a name. Their absence
// shows that the program is static.
#pragma once

#include <dlfcn.h>
#include <pthread.h>

// The names have a version, which only the shared libc has. A static executable has a dlsym, too, but the
// linker warns about it, and libraries that its dlopen opens may crash. A sanitizer's own dlsym has no
// version.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HOTLANE_AS(name) asm(#name)
#else
#define HOTLANE_AS(name)
asm(".symver hotlane_shared_dlsym, dlsym@GLIBC_2.34\n");
#endif

// libc's old pthread_atfork(), which exists for x86-64 only. Its handlers belong to libc itself.
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

/// dlopen(); null if there is no shared libc. The name is looked up at run time because libhotlane.so itself
/// defines dlopen: in a library with symbol versions, GNU ld 2.40 then turns a reference to dlopen@GLIBC_2.34
/// into an empty symbol and warns about it in every later link.
inline void* open_shared(const char* library, int flags) {
    if (!has_shared_libc()) {
        return nullptr;
    }
    const auto open = reinterpret_cast<decltype(&dlopen)>(hotlane_shared_dlsym(RTLD_DEFAULT, "dlopen"));
    return open != nullptr ? open(library, flags) : nullptr;
}

}  // namespace hotlane
