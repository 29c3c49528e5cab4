// SPDX-License-Identifier: MIT
//
// operator new and delete in every form the standard has, and what they do when memory runs out.
// Must not need libstdc++ at load time: a C program that preloads us has none.
// Called by the program.
#include "allocator.h"
#include "base/shared_libc.h"

#include <new>

// Resolved when the program brings a C++ runtime; null in a C program. The static archive pulls them in:
// whoever calls operator new links libstdc++.
extern "C" {
[[gnu::weak]] void _ZSt17__throw_bad_allocv();
[[gnu::weak]] std::new_handler _ZSt15get_new_handlerv() noexcept;
}
// What a catch block refers to. Weak for the same reason.
asm(".weak __gxx_personality_v0\n.weak __cxa_begin_catch\n.weak __cxa_end_catch\n.weak _Unwind_Resume\n"
    ".weak _ZSt9terminatev\n");

namespace {

using namespace hotlane;

/// A symbol of the C++ runtime that came later than us, with a plugin of a C program.
template <typename Function>
Function in_late_runtime(const char* symbol) {
    if (!has_shared_libc()) {
        return nullptr;  // a static program: nothing comes later
    }
    void* runtime = hotlane_shared_dlopen("libstdc++.so.6", RTLD_LAZY | RTLD_NOLOAD);
    return runtime != nullptr ? reinterpret_cast<Function>(hotlane_shared_dlsym(runtime, symbol)) : nullptr;
}

std::new_handler current_new_handler() {
    auto get = &_ZSt15get_new_handlerv;
    if (get == nullptr) {
        get = in_late_runtime<decltype(get)>("_ZSt15get_new_handlerv");
    }
    return get != nullptr ? get() : nullptr;
}

[[noreturn]] void throw_bad_alloc() {
    auto raise = &_ZSt17__throw_bad_allocv;
    if (raise == nullptr) {
        raise = in_late_runtime<decltype(raise)>("_ZSt17__throw_bad_allocv");
    }
    if (raise != nullptr) {
        raise();
    }
    message("operator new: out of memory, and there is no C++ runtime to throw std::bad_alloc");
    os::abort_process();
}

/// [new.delete.single]: call the handler and try again, with the same alignment, until there is none.
template <typename Attempt>
void* allocate_or_throw(Attempt attempt) {
    for (;;) {
        if (void* p = attempt()) {
            return p;
        }
        const std::new_handler handler = current_new_handler();
        if (handler == nullptr) {
            throw_bad_alloc();
        }
        handler();
    }
}

[[gnu::noinline]] void* new_slow(size_t n) {
    return allocate_or_throw([n] { return allocate_slow(n); });
}

void* new_aligned(size_t n, std::align_val_t alignment) {
    return allocate_or_throw([=] { return allocate_aligned(static_cast<size_t>(alignment), n); });
}

/// A handler may throw bad_alloc to give up; the nothrow forms make a null of it.
[[gnu::noinline]] void* new_nothrow_slow(size_t n) {
    try {
        return new_slow(n);
    } catch (...) {
        return nullptr;
    }
}

void* new_aligned_nothrow(size_t n, std::align_val_t alignment) {
    try {
        return new_aligned(n, alignment);
    } catch (...) {
        return nullptr;
    }
}

}  // namespace

#define HOTLANE_VISIBLE [[gnu::visibility("default")]]

HOTLANE_VISIBLE void* operator new(size_t n) { return allocate_fast<new_slow>(n); }
HOTLANE_VISIBLE void* operator new[](size_t n) { return allocate_fast<new_slow>(n); }
HOTLANE_VISIBLE void* operator new(size_t n, const std::nothrow_t&) noexcept {
    return allocate_fast<new_nothrow_slow>(n);
}
HOTLANE_VISIBLE void* operator new[](size_t n, const std::nothrow_t&) noexcept {
    return allocate_fast<new_nothrow_slow>(n);
}
HOTLANE_VISIBLE void* operator new(size_t n, std::align_val_t a) { return new_aligned(n, a); }
HOTLANE_VISIBLE void* operator new[](size_t n, std::align_val_t a) { return new_aligned(n, a); }
HOTLANE_VISIBLE void* operator new(size_t n, std::align_val_t a, const std::nothrow_t&) noexcept {
    return new_aligned_nothrow(n, a);
}
HOTLANE_VISIBLE void* operator new[](size_t n, std::align_val_t a, const std::nothrow_t&) noexcept {
    return new_aligned_nothrow(n, a);
}

HOTLANE_VISIBLE void operator delete(void* p) noexcept { release_delete(p); }
HOTLANE_VISIBLE void operator delete[](void* p) noexcept { release_delete(p); }
HOTLANE_VISIBLE void operator delete(void* p, const std::nothrow_t&) noexcept { release_delete(p); }
HOTLANE_VISIBLE void operator delete[](void* p, const std::nothrow_t&) noexcept { release_delete(p); }
HOTLANE_VISIBLE void operator delete(void* p, size_t n) noexcept { release_sized(p, n); }
HOTLANE_VISIBLE void operator delete[](void* p, size_t n) noexcept { release_sized(p, n); }
HOTLANE_VISIBLE void operator delete(void* p, std::align_val_t) noexcept { release_delete(p); }
HOTLANE_VISIBLE void operator delete[](void* p, std::align_val_t) noexcept { release_delete(p); }
HOTLANE_VISIBLE void operator delete(void* p, std::align_val_t, const std::nothrow_t&) noexcept {
    release_delete(p);
}
HOTLANE_VISIBLE void operator delete[](void* p, std::align_val_t, const std::nothrow_t&) noexcept {
    release_delete(p);
}
HOTLANE_VISIBLE void operator delete(void* p, size_t n, std::align_val_t a) noexcept {
    release_sized_aligned(p, n, static_cast<size_t>(a));
}
HOTLANE_VISIBLE void operator delete[](void* p, size_t n, std::align_val_t a) noexcept {
    release_sized_aligned(p, n, static_cast<size_t>(a));
}
