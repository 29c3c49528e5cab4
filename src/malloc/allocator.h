// SPDX-License-Identifier: MIT
//
// malloc's operations over the thread caches and the fallback, with libc's rules for errors and overflow.
#pragma once

#include "diagnostics/misuse.h"
#include "lifecycle/startup.h"
#include "thread_cache/thread_cache.h"

namespace hotlane {

/// Out-of-line halves of the fast paths. Without memory, allocate_slow() returns null and sets errno to
/// ENOMEM. The release functions keep errno.
void* allocate_slow(size_t n);
void release_slow(void* p) noexcept;
void release_delete_slow(void* p) noexcept;
void release_sized_slow(void* p, size_t excess) noexcept;
inline void release_sized_elsewhere(void* p, size_t) noexcept { release_delete_slow(p); }

/// Allocates at least `n` bytes, aligned to 64 (to 16 above 64 KiB, or with other classes than cacheline). For n = 0 it
/// returns an object, too. Null with errno ENOMEM if there is no memory.
inline void* allocate(size_t n) { return allocate_fast<allocate_slow>(n); }
/// Frees an object that any thread allocated. Does nothing for null.
inline void release(void* p) { release_fast<release_slow>(p); }
/// The same for operator delete: messages about a wrong pointer name the operator.
inline void release_delete(void* p) { release_fast<release_delete_slow>(p); }
/// For free_sized and sized delete. The size is a hint: a size of another class is counted, and the object is
/// freed as one of its real class.
inline void release_sized(void* p, size_t n) {
    release_sized_fast<release_sized_elsewhere, release_sized_slow>(p, n);
}
/// The same for an object that was allocated with `alignment`, which may have led to a larger class.
void release_sized_aligned(void* p, size_t n, size_t alignment) noexcept;

/// Allocates `count * size` bytes that are zero. Null with errno ENOMEM on overflow or without memory.
void* allocate_zeroed(size_t count, size_t size);
/// Allocates `n` bytes at a multiple of `alignment`, which must be a power of two.
void* allocate_aligned(size_t alignment, size_t n);
/// posix_memalign: returns 0, EINVAL or ENOMEM. An error leaves `*out` and errno unchanged.
int allocate_posix(void** out, size_t alignment, size_t n);
/// aligned_alloc: null with errno EINVAL if `alignment` is not a power of two. Accepts any `n`.
void* allocate_c11(size_t alignment, size_t n);
/// memalign: rounds `alignment` up to a power of two, as glibc does.
void* allocate_memalign(size_t alignment, size_t n);
/// pvalloc: rounds `n` up to whole OS pages.
void* allocate_os_pages(size_t n);
/// realloc: allocates if `p` is null; frees and returns null if `n` is 0. On failure it returns null with
/// errno ENOMEM and leaves `p` as it is.
void* reallocate(void* p, size_t n);
/// The same for `count * size` bytes. Null with errno ENOMEM on overflow.
void* reallocate_array(void* p, size_t count, size_t size);
/// Returns how many bytes of a live object may be written. The number does not change during the object's
/// life, except by realloc. 0 for null.
size_t usable_size(const void* p);

/// Whether a live object begins at `p`. The span of `p` is not consulted, so the answer is also true for any
/// other pointer into a span.
bool owns(const void* p);

/// Reports what is wrong with a pointer that lies outside every span and is not a live object. Returns only
/// if HOTLANE_ON_ERROR allows the process to go on.
void report_invalid_pointer(const void* p, Operation operation);

/// Returns all free memory to the kernel. Returns how many bytes of the region went back.
size_t purge_everything();

/// How many sized deletes named a size of another class than the object's.
uint64_t count_of_wrong_sized_deletes();

}  // namespace hotlane
