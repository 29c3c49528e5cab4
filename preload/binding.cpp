// SPDX-License-Identifier: MIT
//
// Looks at the start of the process whose definitions are used; see binding.h.
// In the shared library only: in a static program there is one definition of each.
// Called by the loader.
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

// Allocates nothing. Not later: dladdr1 takes the loader's lock, which another thread may hold while it waits
// for this one. Until then such a program's operators are taken for replaced, and reach ours through the
// program. Before the library's other constructors, which ask.
[[gnu::constructor(101)]] void at_start() {
    settle_all<Malloc, Free, Realloc, AlignedAlloc, New, NewArray, Delete, DeleteArray, AlignedNew,
               AlignedNewArray, AlignedDelete, AlignedDeleteArray>();
}

}  // namespace

}  // namespace hotlane
