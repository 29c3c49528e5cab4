// SPDX-License-Identifier: MIT
//
// malloc and its family, under every name that glibc gives them. Each function only calls its implementation.
// Functions that glibc does not have, or that call another function of the family in glibc, call the
// program's version if the program defines one.
#include "binding.h"
#include "export.h"
#include "malloc/allocator.h"
#include "malloc/fallback_requests.h"
#include "platform/os.h"

using namespace hotlane;

HOTLANE_EXPORT void* malloc(size_t n) noexcept { return allocate(n); }
HOTLANE_EXPORT void free(void* p) noexcept { release(p); }
HOTLANE_EXPORT void cfree(void* p) noexcept { Free::is_ours() ? release(p) : Free::bound()(p); }
HOTLANE_EXPORT void* calloc(size_t count, size_t size) noexcept { return allocate_zeroed(count, size); }
HOTLANE_EXPORT void* realloc(void* p, size_t n) noexcept { return reallocate(p, n); }
HOTLANE_EXPORT void* reallocarray(void* p, size_t count, size_t size) noexcept {
    if (Realloc::is_ours()) {
        return reallocate_array(p, count, size);
    }
    size_t n = 0;
    return __builtin_mul_overflow(count, size, &n) ? no_memory() : Realloc::bound()(p, n);
}
HOTLANE_EXPORT int posix_memalign(void** out, size_t alignment, size_t n) noexcept {
    return allocate_posix(out, alignment, n);
}
HOTLANE_EXPORT void* aligned_alloc(size_t alignment, size_t n) noexcept { return allocate_c11(alignment, n); }
HOTLANE_EXPORT void* memalign(size_t alignment, size_t n) noexcept { return allocate_memalign(alignment, n); }
HOTLANE_EXPORT void* valloc(size_t n) noexcept { return allocate_aligned(os::page_size(), n); }
HOTLANE_EXPORT void* pvalloc(size_t n) noexcept { return allocate_os_pages(n); }
HOTLANE_EXPORT size_t malloc_usable_size(void* p) noexcept { return usable_size(p); }
HOTLANE_EXPORT void free_sized(void* p, size_t n) noexcept {
    Free::is_ours() ? release_sized(p, n) : Free::bound()(p);
}
HOTLANE_EXPORT void free_aligned_sized(void* p, size_t alignment, size_t n) noexcept {
    Free::is_ours() ? release_sized_aligned(p, n, alignment) : Free::bound()(p);
}

// The names that glibc offers to programs that wrap malloc. They are functions rather than aliases, so that
// clang-tidy and readers see a call.
HOTLANE_EXPORT void* __libc_malloc(size_t n) noexcept { return allocate(n); }
HOTLANE_EXPORT void __libc_free(void* p) noexcept { release(p); }
HOTLANE_EXPORT void* __libc_calloc(size_t count, size_t size) noexcept {
    return allocate_zeroed(count, size);
}
HOTLANE_EXPORT void* __libc_realloc(void* p, size_t n) noexcept { return reallocate(p, n); }
HOTLANE_EXPORT void* __libc_reallocarray(void* p, size_t count, size_t size) noexcept {
    return reallocate_array(p, count, size);
}
HOTLANE_EXPORT void* __libc_memalign(size_t alignment, size_t n) noexcept {
    return allocate_memalign(alignment, n);
}
HOTLANE_EXPORT void* __libc_valloc(size_t n) noexcept { return allocate_aligned(os::page_size(), n); }
HOTLANE_EXPORT void* __libc_pvalloc(size_t n) noexcept { return allocate_os_pages(n); }
HOTLANE_EXPORT int __posix_memalign(void** out, size_t alignment, size_t n) noexcept {
    return allocate_posix(out, alignment, n);
}

HOTLANE_OWN(own_malloc, malloc);
HOTLANE_OWN(own_free, free);
HOTLANE_OWN(own_realloc, realloc);
HOTLANE_OWN(own_aligned_alloc, aligned_alloc);
