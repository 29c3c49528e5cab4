// SPDX-License-Identifier: MIT
//
// dlopen and dlmopen without RTLD_DEEPBIND. A library that is opened with this flag finds libc's malloc and
// free before ours: it would give our objects to libc's free, and libc's objects to ours. Must not stay on
// the stack: the real function looks at its return address to tell who called it, and searches that library's
// RUNPATH, $ORIGIN and namespace. So both end in a jump; meson.build compiles this file with optimisation
// always. In the shared library only: a static program has a dlopen of its own. Called by the program.
#include "export.h"
#include "lifecycle/startup.h"

#include <atomic>
#include <dlfcn.h>

namespace {

using namespace hotlane;

/// The definition of a function that comes after ours: libc's, or that of another library that interposes it.
template <typename Function>
class NextDefinition {
  public:
    /// Null when libc has no such function.
    [[gnu::always_inline]] Function find(const char* name, Function ours) {
        Function next = found_.load(std::memory_order_acquire);
        return next != nullptr ? next : look_up(name, ours);
    }

  private:
    /// Not at load time: dlsym may allocate, and most processes never ask. Several threads may be here at
    /// once; they find the same.
    [[gnu::noinline]] Function look_up(const char* name, Function ours) {
        ensure_configured();  // a constructor that runs before ours may open a library
        void* next = dlsym(RTLD_NEXT, name);
        if (next == reinterpret_cast<void*>(ours)) {
            // Somebody interposes dlsym too, and it searched on from there. A definition with a version is
            // libc's.
            next = dlvsym(RTLD_DEFAULT, name, "GLIBC_2.34");
        }
        const auto function = reinterpret_cast<Function>(next);
        found_.store(function, std::memory_order_release);  // pairs with the load in find(): options are read
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

/// A new namespace gets a libc of its own, with a malloc of its own: there the flag changes nothing for us.
HOTLANE_EXPORT void* dlmopen(Lmid_t name_space, const char* file, int mode) noexcept {
    const auto next = next_dlmopen.find("dlmopen", &dlmopen);
    return next != nullptr ? next(name_space, file, name_space == LM_ID_BASE ? allowed(mode) : mode)
                           : nullptr;
}
