// SPDX-License-Identifier: MIT
//
// Tells whose definition of a function the process uses: ours, or one that comes before it, such as the
// program's. The C++ standard says which operator calls which, and a program may replace any of them.
#pragma once

#include "base/base.h"

#include <atomic>
#include <cstdlib>
#include <new>

namespace hotlane {

/// Whether the symbol at this address is undefined in its library.
bool is_linkage_entry(const void* function);

/// A function that is exported and that a program may define itself. `Global` is the public name, which the
/// loader binds for everybody alike (preload/replaceable.list keeps -Bsymbolic from binding it here). `Own`
/// is a hidden alias of our definition.
template <auto Global, auto Own>
class Binding {
  public:
    /// The definition that everybody calls. The compiler must not know which function it is, or it would
    /// inline ours.
    [[gnu::always_inline]] static auto bound() {
        auto function = Global;
        asm("" : "+r"(function));
        return function;
    }
    static bool is_ours() { return bound() == Own || by_plt.load(std::memory_order_relaxed); }

    /// Called once, when the process starts. Finds out whether a definition that looks foreign is only an
    /// entry in the program's procedure linkage table. If a program is not position-independent and takes the
    /// function's address, that entry is the function's address for everybody.
    static void settle() {
        if (bound() != Own && is_linkage_entry(reinterpret_cast<const void*>(bound()))) {
            by_plt.store(true, std::memory_order_relaxed);
        }
    }

  private:
    static inline constinit std::atomic<bool> by_plt{false};
};

// Hidden aliases of our exported functions, made by HOTLANE_OWN.
extern "C" {
HOTLANE_HIDDEN void* own_malloc(size_t n) noexcept;
HOTLANE_HIDDEN void own_free(void* p) noexcept;
HOTLANE_HIDDEN void* own_realloc(void* p, size_t n) noexcept;
HOTLANE_HIDDEN void* own_aligned_alloc(size_t alignment, size_t n) noexcept;
HOTLANE_HIDDEN void* own_new(size_t n);
HOTLANE_HIDDEN void* own_new_array(size_t n);
HOTLANE_HIDDEN void own_delete(void* p) noexcept;
HOTLANE_HIDDEN void own_delete_array(void* p) noexcept;
HOTLANE_HIDDEN void* own_aligned_new(size_t n, std::align_val_t alignment);
HOTLANE_HIDDEN void* own_aligned_new_array(size_t n, std::align_val_t alignment);
HOTLANE_HIDDEN void own_aligned_delete(void* p, std::align_val_t alignment) noexcept;
HOTLANE_HIDDEN void own_aligned_delete_array(void* p, std::align_val_t alignment) noexcept;
}

// Use it in the file that defines the function. It is not the compiler's alias attribute: the compiler would
// know that the two are one, and answer the comparison itself.
// NOLINTNEXTLINE(cppcoreguidelines-macro-usage): the name becomes a text
#define HOTLANE_OWN(alias, exported) asm(".globl " #alias "\n.hidden " #alias "\n.set " #alias ", " #exported)

// The functions through which our other functions must call.
using Malloc = Binding<&::malloc, &own_malloc>;
using Free = Binding<&::free, &own_free>;
using Realloc = Binding<&::realloc, &own_realloc>;
using AlignedAlloc = Binding<&::aligned_alloc, &own_aligned_alloc>;
using New = Binding<static_cast<void* (*)(size_t)>(&::operator new), &own_new>;
using NewArray = Binding<static_cast<void* (*)(size_t)>(&::operator new[]), &own_new_array>;
using Delete = Binding<static_cast<void (*)(void*) noexcept>(&::operator delete), &own_delete>;
using DeleteArray = Binding<static_cast<void (*)(void*) noexcept>(&::operator delete[]), &own_delete_array>;
using AlignedNew =
    Binding<static_cast<void* (*)(size_t, std::align_val_t)>(&::operator new), &own_aligned_new>;
using AlignedNewArray =
    Binding<static_cast<void* (*)(size_t, std::align_val_t)>(&::operator new[]), &own_aligned_new_array>;
using AlignedDelete =
    Binding<static_cast<void (*)(void*, std::align_val_t) noexcept>(&::operator delete), &own_aligned_delete>;
using AlignedDeleteArray =
    Binding<static_cast<void (*)(void*, std::align_val_t) noexcept>(&::operator delete[]),
            &own_aligned_delete_array>;

}  // namespace hotlane
