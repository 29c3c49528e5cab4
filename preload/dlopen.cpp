// SPDX-License-Identifier: MIT
//
// Interposes dlopen and dlmopen to remove RTLD_DEEPBIND. A library that is opened with this flag finds libc's
// malloc and free before ours. It would pass our objects to libc's free, and libc's objects to ours. In the
// shared library only, because a static program has a dlopen of its own.
//
// Neither function may stay on the stack. The real function uses its return address to tell which library
// called it, and searches that library's RUNPATH, $ORIGIN and namespace. Both functions therefore end in a
// jump, for which meson.build always compiles this file with optimisation.
#include "export.h"
#include "lifecycle/startup.h"

#include <atomic>
#include <dlfcn.h>

namespace {

using namespace hotlane;

/// The definition of a function that comes after ours: libc's, or that of another interposing library.
template <typename Function>
class NextDefinition {
  public:
    /// Returns null if libc has no such function.
    [[gnu::always_inline]] Function find(const char* name, Function ours) {
        Function next = found_.load(std::memory_order_acquire);
        return next != nullptr ? next : look_up(name, ours);
    }

  private:
    /// Not done at load time, because dlsym may allocate and most processes never need it. Several threads
    /// may be here at once; they find the same function.
    [[gnu::noinline]] Function look_up(const char* name, Function ours) {
        ensure_configured();  // a constructor that runs before ours may call dlopen
        void* next = dlsym(RTLD_NEXT, name);
        if (next == reinterpret_cast<void*>(ours)) {
            // Another library interposes dlsym, and its dlsym searched after that library. A versioned
            // definition is always libc's.
            next = dlvsym(RTLD_DEFAULT, name, "GLIBC_2.34");
        }
        const auto function = reinterpret_cast<Function>(next);
        found_.store(function, std::memory_order_release);  // pairs with find(): the options are read
        return function;
    }

    std::atomic<Function> found_{nullptr};
};

constinit NextDefinition<decltype(&dlopen)> next_dlopen;
constinit NextDefinition<decltype(&dlmopen)> next_dlmopen;

[[gnu::always_inline]] inline int allowed(int mode) {
    return config().deepbind == DeepBind::clear ? mode & ~RTLD_DEEPBIND : mode;
}

}  // namespace

HOTLANE_EXPORT void* dlopen(const char* file, int mode) noexcept {
    const auto next = next_dlopen.find("dlopen", &dlopen);
    return next != nullptr ? next(file, allowed(mode)) : nullptr;
}

/// A new namespace gets a libc of its own, with its own malloc. There the flag does not affect us.
HOTLANE_EXPORT void* dlmopen(Lmid_t name_space, const char* file, int mode) noexcept {
    const auto next = next_dlmopen.find("dlmopen", &dlmopen);
    return next != nullptr ? next(name_space, file, name_space == LM_ID_BASE ? allowed(mode) : mode)
                           : nullptr;
}
