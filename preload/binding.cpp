// SPDX-License-Identifier: MIT
//
// Finds out at the start of the process whose definitions are used; see binding.h. In the shared library
// only, because a static program has one definition of each function.
#include "binding.h"

#include <dlfcn.h>
#include <link.h>

namespace hotlane {

bool is_linkage_entry(const void* function) {
    Dl_info info{};
    void* symbol = nullptr;
    return dladdr1(function, &info, &symbol, RTLD_DL_SYMENT) != 0 && symbol != nullptr &&
           info.dli_saddr == function && static_cast<ElfW(Sym)*>(symbol)->st_shndx == SHN_UNDEF;
}

namespace {

template <typename... Bindings>
void settle_all() {
    (Bindings::settle(), ...);
}

// Allocates nothing. This cannot be done later, because dladdr1 takes the loader's lock, which another thread
// may hold while it waits for this one. Until it is done, the operators of such a program are assumed to be
// replaced, and are called through the program. It runs before the library's other constructors, which use
// the result.
[[gnu::constructor(101)]] void at_start() {
    settle_all<Malloc, Free, Realloc, AlignedAlloc, New, NewArray, Delete, DeleteArray, AlignedNew,
               AlignedNewArray, AlignedDelete, AlignedDeleteArray>();
}

}  // namespace

}  // namespace hotlane
