// SPDX-License-Identifier: MIT
//
// Whose definition of a function the process uses: ours, or one that comes before it, such as the program's.
// Knows nothing of what the functions do.
// Used by the forwarders: the standard says which of them call which, and a program may replace any.
#pragma once

#include "base/base.h"

#include <atomic>
#include <cstdlib>
#include <new>

namespace hotlane {

/// Whether the symbol at this address is one that its library does not define.
bool is_linkage_entry(const void* function);

/// A function that is exported and that a program may define itself. `Global` is named as everybody names it,
/// so the loader binds it as everybody's (preload/replaceable.list keeps -Bsymbolic from binding it here);
/// `Own` is a hidden alias of our definition.
template <auto Global, auto Own>
class Binding {
  public:
    /// What everybody calls. The compiler must not see which function it is: it would inline ours.
    [[gnu::always_inline]] static auto bound() {
        auto function = Global;
        asm("" : "+r"(function));
        return function;
    }
    static bool is_ours() { return bound() == Own || by_plt.load(std::memory_order_relaxed); }

    /// Once, when the process starts: whether what looks like another's definition is only an entry in the
    /// program's procedure linkage table. A program that is not position-independent and takes the function's
    /// address has such an entry as the address for all.
    static void settle() {
        if (bound() != Own && is_linkage_entry(reinterpret_cast<const void*>(bound()))) {
            by_plt.store(true, std::memory_order_relaxed);
        }
    }

  private:
    static inline constinit std::atomic<bool> by_plt{false};
};

// Hidden aliases of what we export, made by HOTLANE_OWN.
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

// Stands in the file that defines the function. Not the compiler's attribute for aliases: the compiler would
// know that the two are one, and answer the comparison itself. NOLINTNEXTLINE(cppcoreguidelines-macro-usage):
// the name becomes a text
#define HOTLANE_OWN(alias, exported) asm(".globl " #alias "\n.hidden " #alias "\n.set " #alias ", " #exported)

// The functions that others of ours must call.
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
