// SPDX-License-Identifier: MIT
//
// operator new and delete in every form of the standard, and what they do when memory runs out. Must not need
// libstdc++ at load time, because the library may be preloaded into a C program.
#include "base/atomic_access.h"
#include "binding.h"
#include "malloc/allocator.h"
#include "platform/libc/shared_libc.h"

#include <new>

// Resolved if the program has a C++ runtime; null in a C program. In a static link the runtime is pulled in
// (see meson.build), and a program that calls operator new links libstdc++ anyway.
extern "C" {
[[gnu::weak]] void _ZSt17__throw_bad_allocv();
[[gnu::weak]] std::new_handler _ZSt15get_new_handlerv() noexcept;
}
// The symbols that a catch block refers to. Weak for the same reason.
asm(".weak __gxx_personality_v0\n.weak __cxa_begin_catch\n.weak __cxa_end_catch\n.weak _Unwind_Resume\n"
    ".weak _ZSt9terminatev\n");

namespace {

using namespace hotlane;

/// A symbol of a C++ runtime that was loaded after us, with a plugin of a C program.
template <typename Function>
Function in_late_runtime(const char* symbol) {
    void* runtime = open_shared("libstdc++.so.6", RTLD_LAZY | RTLD_NOLOAD);
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

/// [new.delete.single]: calls the handler and tries again, until it succeeds or there is no handler.
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

// The standard says which operator calls which, and libstdc++'s operators call malloc, aligned_alloc and
// free. If a program replaces one of these functions, the functions that call it by default call the
// program's version.
//
//   new[], nothrow new -> new -> malloc
//   nothrow new[] -> new[]
//   aligned new[], aligned nothrow new -> aligned new -> aligned_alloc
//   aligned nothrow new[] -> aligned new[]
//   delete[], sized, nothrow delete -> delete -> free
//   sized, nothrow delete[] -> delete[]           and the same for the aligned forms

template <typename... Bindings>
bool are_ours() {
    return (Bindings::is_ours() && ...);
}

/// If nothing is replaced, lets the fast paths of the operators accept what those of malloc and free accept.
/// Both limits follow the region's.
[[gnu::noinline]] void serve_if_nothing_is_replaced() {
    const size_t pages = load_relaxed(region_view.page_limit);
    if (pages != load_relaxed(region_view.operator_page_limit) &&
        are_ours<Malloc, Free, AlignedAlloc, New, NewArray, Delete, DeleteArray, AlignedNew, AlignedNewArray,
                 AlignedDelete, AlignedDeleteArray>()) {
        store_relaxed(region_view.operator_page_limit, pages);
        store_relaxed(region_view.operator_size_end, kSmallLimit + 1);
    }
}

// ---- new --------------------------------------------------------------------------------------------------

/// After a miss.
[[gnu::noinline]] void* new_slow(size_t n) {
    return allocate_or_throw([n] { return allocate_slow(n); });
}

[[gnu::noinline]] void* nothrow_slow(size_t n) noexcept {
    try {
        return new_slow(n);
    } catch (...) {
        return nullptr;
    }
}

/// Requests that the fast path of operator new does not take.
[[gnu::noinline]] void* new_over(size_t n) {
    if (!Malloc::is_ours()) {
        return allocate_or_throw([n] { return Malloc::bound()(n == 0 ? 1 : n); });
    }
    serve_if_nothing_is_replaced();
    void* p = allocate(n);
    return p != nullptr ? p : new_slow(n);
}

[[gnu::noinline]] void* new_array_over(size_t n) { return New::is_ours() ? new_over(n) : New::bound()(n); }

/// A new handler may throw bad_alloc to give up. The nothrow forms then return null.
template <auto Throwing, typename... Arguments>
[[gnu::noinline]] void* or_null(Arguments... arguments) noexcept {
    try {
        return Throwing(arguments...);
    } catch (...) {
        return nullptr;
    }
}

void* new_of_nothrow(size_t n) { return New::is_ours() ? new_over(n) : New::bound()(n); }
void* new_array_of_nothrow(size_t n) {
    return NewArray::is_ours() ? new_array_over(n) : NewArray::bound()(n);
}

void* new_aligned(size_t n, std::align_val_t alignment) {
    const auto a = static_cast<size_t>(alignment);
    if (AlignedAlloc::is_ours()) {
        return allocate_or_throw([=] { return allocate_aligned(a, n); });
    }
    // The program's aligned_alloc may insist on a multiple of the alignment. A size that would overflow is
    // passed on as it is, and refused there.
    const size_t rounded = n > SIZE_MAX - a ? n : round_up(n == 0 ? 1 : n, a);
    return allocate_or_throw([=] { return AlignedAlloc::bound()(a, rounded); });
}

void* new_array_aligned(size_t n, std::align_val_t a) {
    return AlignedNew::is_ours() ? new_aligned(n, a) : AlignedNew::bound()(n, a);
}

void* new_aligned_of_nothrow(size_t n, std::align_val_t a) { return new_array_aligned(n, a); }

void* new_array_aligned_of_nothrow(size_t n, std::align_val_t a) {
    return AlignedNewArray::is_ours() ? new_array_aligned(n, a) : AlignedNewArray::bound()(n, a);
}

// ---- delete -----------------------------------------------------------------------------------------------

/// Pointers that the fast path of operator delete does not find in its pages.
[[gnu::noinline]] void delete_elsewhere(void* p) noexcept {
    if (!Free::is_ours()) {
        return Free::bound()(p);
    }
    serve_if_nothing_is_replaced();
    release_delete(p);
}

[[gnu::noinline]] void delete_of_others(void* p) noexcept {
    Delete::is_ours() ? delete_elsewhere(p) : Delete::bound()(p);
}

[[gnu::noinline]] void delete_array_of_others(void* p) noexcept {
    DeleteArray::is_ours() ? delete_of_others(p) : DeleteArray::bound()(p);
}

/// The size is used only if the object comes back to us.
[[gnu::noinline]] void delete_sized_elsewhere(void* p, size_t n) noexcept {
    if (!are_ours<Free, Delete>()) {
        return delete_of_others(p);
    }
    serve_if_nothing_is_replaced();
    release_sized(p, n);
}

[[gnu::noinline]] void delete_array_sized_elsewhere(void* p, size_t n) noexcept {
    DeleteArray::is_ours() ? delete_sized_elsewhere(p, n) : DeleteArray::bound()(p);
}

/// If aligned_alloc is ours, so are the objects of aligned new, even if the program has its own free.
void delete_aligned(void* p) noexcept {
    if (!Free::is_ours() && !(AlignedAlloc::is_ours() && owns(p))) {
        return Free::bound()(p);
    }
    release_delete(p);
}

void delete_aligned_of_others(void* p, std::align_val_t a) noexcept {
    AlignedDelete::is_ours() ? delete_aligned(p) : AlignedDelete::bound()(p, a);
}

void delete_array_aligned_of_others(void* p, std::align_val_t a) noexcept {
    AlignedDeleteArray::is_ours() ? delete_aligned_of_others(p, a) : AlignedDeleteArray::bound()(p, a);
}

void delete_aligned_sized(void* p, size_t n, std::align_val_t a) noexcept {
    are_ours<Free, AlignedAlloc, AlignedDelete>() ? release_sized_aligned(p, n, static_cast<size_t>(a))
                                                  : delete_aligned_of_others(p, a);
}

void delete_array_aligned_sized(void* p, size_t n, std::align_val_t a) noexcept {
    AlignedDeleteArray::is_ours() ? delete_aligned_sized(p, n, a) : AlignedDeleteArray::bound()(p, a);
}

template <auto Elsewhere>
[[gnu::always_inline]] inline void delete_fast(void* p) {
    release_fast<release_delete_slow, Elsewhere, &RegionView::operator_page_limit>(p);
}

template <auto Elsewhere>
[[gnu::always_inline]] inline void delete_sized_fast(void* p, size_t n) {
    release_sized_fast<Elsewhere, release_sized_slow, &RegionView::operator_page_limit>(p, n);
}

}  // namespace

#define HOTLANE_VISIBLE [[gnu::visibility("default")]]

HOTLANE_VISIBLE void* operator new(size_t n) { return allocate_operator_fast<new_slow, new_over>(n); }
HOTLANE_VISIBLE void* operator new[](size_t n) { return allocate_operator_fast<new_slow, new_array_over>(n); }
HOTLANE_VISIBLE void* operator new(size_t n, const std::nothrow_t&) noexcept {
    return allocate_operator_fast<nothrow_slow, or_null<new_of_nothrow, size_t>>(n);
}
HOTLANE_VISIBLE void* operator new[](size_t n, const std::nothrow_t&) noexcept {
    return allocate_operator_fast<nothrow_slow, or_null<new_array_of_nothrow, size_t>>(n);
}
HOTLANE_VISIBLE void* operator new(size_t n, std::align_val_t a) { return new_aligned(n, a); }
HOTLANE_VISIBLE void* operator new[](size_t n, std::align_val_t a) { return new_array_aligned(n, a); }
HOTLANE_VISIBLE void* operator new(size_t n, std::align_val_t a, const std::nothrow_t&) noexcept {
    return or_null<new_aligned_of_nothrow>(n, a);
}
HOTLANE_VISIBLE void* operator new[](size_t n, std::align_val_t a, const std::nothrow_t&) noexcept {
    return or_null<new_array_aligned_of_nothrow>(n, a);
}

HOTLANE_VISIBLE void operator delete(void* p) noexcept { delete_fast<delete_elsewhere>(p); }
HOTLANE_VISIBLE void operator delete[](void* p) noexcept { delete_fast<delete_of_others>(p); }
HOTLANE_VISIBLE void operator delete(void* p, const std::nothrow_t&) noexcept {
    delete_fast<delete_of_others>(p);
}
HOTLANE_VISIBLE void operator delete[](void* p, const std::nothrow_t&) noexcept {
    delete_fast<delete_array_of_others>(p);
}
HOTLANE_VISIBLE void operator delete(void* p, size_t n) noexcept {
    delete_sized_fast<delete_sized_elsewhere>(p, n);
}
HOTLANE_VISIBLE void operator delete[](void* p, size_t n) noexcept {
    delete_sized_fast<delete_array_sized_elsewhere>(p, n);
}
HOTLANE_VISIBLE void operator delete(void* p, std::align_val_t) noexcept { delete_aligned(p); }
HOTLANE_VISIBLE void operator delete[](void* p, std::align_val_t a) noexcept {
    delete_aligned_of_others(p, a);
}
HOTLANE_VISIBLE void operator delete(void* p, std::align_val_t a, const std::nothrow_t&) noexcept {
    delete_aligned_of_others(p, a);
}
HOTLANE_VISIBLE void operator delete[](void* p, std::align_val_t a, const std::nothrow_t&) noexcept {
    delete_array_aligned_of_others(p, a);
}
HOTLANE_VISIBLE void operator delete(void* p, size_t n, std::align_val_t a) noexcept {
    delete_aligned_sized(p, n, a);
}
HOTLANE_VISIBLE void operator delete[](void* p, size_t n, std::align_val_t a) noexcept {
    delete_array_aligned_sized(p, n, a);
}

HOTLANE_OWN(own_new, _Znwm);
HOTLANE_OWN(own_new_array, _Znam);
HOTLANE_OWN(own_delete, _ZdlPv);
HOTLANE_OWN(own_delete_array, _ZdaPv);
HOTLANE_OWN(own_aligned_new, _ZnwmSt11align_val_t);
HOTLANE_OWN(own_aligned_new_array, _ZnamSt11align_val_t);
HOTLANE_OWN(own_aligned_delete, _ZdlPvSt11align_val_t);
HOTLANE_OWN(own_aligned_delete_array, _ZdaPvSt11align_val_t);
