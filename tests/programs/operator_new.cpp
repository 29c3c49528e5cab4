// SPDX-License-Identifier: MIT
// Trap: a forgotten form of operator new or delete is libstdc++'s, which works with ours only by luck.
// Every form of both must lie in the library that owns malloc, and every pairing that the language allows
// must work.
#include "check.h"

#include <malloc.h>
#include <new>

namespace {

constexpr const char* kOperators[] = {
    "_Znwm",
    "_ZnwmRKSt9nothrow_t",
    "_ZnwmSt11align_val_t",
    "_ZnwmSt11align_val_tRKSt9nothrow_t",
    "_Znam",
    "_ZnamRKSt9nothrow_t",
    "_ZnamSt11align_val_t",
    "_ZnamSt11align_val_tRKSt9nothrow_t",
    "_ZdlPv",
    "_ZdlPvRKSt9nothrow_t",
    "_ZdlPvSt11align_val_t",
    "_ZdlPvSt11align_val_tRKSt9nothrow_t",
    "_ZdaPv",
    "_ZdaPvRKSt9nothrow_t",
    "_ZdaPvSt11align_val_t",
    "_ZdaPvSt11align_val_tRKSt9nothrow_t",
    "_ZdlPvm",
    "_ZdlPvmSt11align_val_t",
    "_ZdaPvm",
    "_ZdaPvmSt11align_val_t",
};

void check_all_are_malloc_s() {
    Dl_info malloc_info;
    CHECK(dladdr(dlsym(RTLD_DEFAULT, "malloc"), &malloc_info), "malloc belongs to no library");
    for (const char* name : kOperators) {
        void* address = dlsym(RTLD_DEFAULT, name);
        Dl_info info;
        CHECK(address && dladdr(address, &info), "%s is missing", name);
        CHECK(std::strcmp(info.dli_fname, malloc_info.dli_fname) == 0, "%s is %s's", name, info.dli_fname);
    }
}

void* used(void* object, size_t size, size_t alignment) {
    CHECK(object, "operator new(%zu) gave null", size);
    CHECK(reinterpret_cast<uintptr_t>(object) % alignment == 0, "operator new(%zu) gave %p", size, object);
    CHECK(malloc_usable_size(object) >= size, "operator new(%zu): usable %zu", size,
          malloc_usable_size(object));
    std::memset(object, 0x77, malloc_usable_size(object));
    return opaque(object);
}

void check_plain(size_t size) {
    constexpr size_t kDefault = __STDCPP_DEFAULT_NEW_ALIGNMENT__;
    operator delete(used(operator new(size), size, kDefault));
    operator delete(used(operator new(size), size, kDefault), size);
    operator delete(used(operator new(size, std::nothrow), size, kDefault), std::nothrow);
    operator delete[](used(operator new[](size), size, kDefault));
    operator delete[](used(operator new[](size), size, kDefault), size);
    operator delete[](used(operator new[](size, std::nothrow), size, kDefault), std::nothrow);
    free(used(operator new(size), size, kDefault));
    operator delete(used(malloc(size), size, kDefault));
    operator delete(nullptr);
    operator delete[](nullptr, size);
}

void check_aligned(size_t size, size_t alignment) {
    const auto align = static_cast<std::align_val_t>(alignment);
    operator delete(used(operator new(size, align), size, alignment), align);
    operator delete(used(operator new(size, align), size, alignment), size, align);
    operator delete(used(operator new(size, align, std::nothrow), size, alignment), align, std::nothrow);
    operator delete[](used(operator new[](size, align), size, alignment), align);
    operator delete[](used(operator new[](size, align), size, alignment), size, align);
    operator delete[](used(operator new[](size, align, std::nothrow), size, alignment), align, std::nothrow);
    operator delete(nullptr, align);
}

}  // namespace

int main() {
    check_all_are_malloc_s();
    for (size_t size = 0; size < 200000; size += 1 + size / 4) {
        check_plain(size);
        for (size_t alignment = 16; alignment <= 16384; alignment *= 4) {
            check_aligned(size, alignment);
        }
    }
    return 0;
}
