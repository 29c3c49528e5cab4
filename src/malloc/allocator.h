// SPDX-License-Identifier: MIT
//
// The facade: malloc's operations over hot lane and fallback, with libc's rules for errors and overflow.
// The only place that knows both tiers. Must not know who exports it.
// Called by preload (which only forwards) and by the C API.
#pragma once

#include "diagnostics/misuse.h"
#include "lifecycle/startup.h"
#include "thread_cache/thread_cache.h"

namespace hotlane {

/// Out-of-line halves of the two fast paths. Null with errno ENOMEM when there is no memory; release keeps
/// errno.
void* allocate_slow(size_t n);
void release_slow(void* p) noexcept;
void release_delete_slow(void* p) noexcept;
void release_sized_slow(void* p, size_t excess) noexcept;
inline void release_sized_elsewhere(void* p, size_t) noexcept { release_delete_slow(p); }

/// At least `n` bytes, aligned to 64 (16 beyond 64 KiB, or with compact classes). Never null for n = 0.
inline void* allocate(size_t n) { return allocate_fast<allocate_slow>(n); }
/// Null is nothing. Whichever thread allocated.
inline void release(void* p) { release_fast<release_slow>(p); }
/// The same for operator delete, so that a message can name it.
inline void release_delete(void* p) { release_fast<release_delete_slow>(p); }
/// As free_sized and sized delete: the size is a hint. One that belongs to another class is counted, and the
/// real class serves.
inline void release_sized(void* p, size_t n) {
    release_sized_fast<release_sized_elsewhere, release_sized_slow>(p, n);
}
/// The same for an object that was allocated with this alignment, which may have chosen a larger class.
void release_sized_aligned(void* p, size_t n, size_t alignment) noexcept;

/// `count * size` bytes, zeroed. Null with ENOMEM on overflow.
void* allocate_zeroed(size_t count, size_t size);
/// `alignment` is a power of two; the caller has checked it.
void* allocate_aligned(size_t alignment, size_t n);
/// posix_memalign: 0, or EINVAL or ENOMEM with `*out` and errno as they were.
int allocate_posix(void** out, size_t alignment, size_t n);
/// aligned_alloc: null with EINVAL when `alignment` is not a power of two. Any `n` will do.
void* allocate_c11(size_t alignment, size_t n);
/// memalign: as glibc's, rounds `alignment` up to a power of two.
void* allocate_memalign(size_t alignment, size_t n);
/// pvalloc: whole OS pages.
void* allocate_os_pages(size_t n);
/// As realloc: null allocates, 0 frees and returns null. On failure null with ENOMEM, and `p` is as before.
void* reallocate(void* p, size_t n);
/// The same for `count * size` bytes; null with ENOMEM on overflow.
void* reallocate_array(void* p, size_t count, size_t size);
/// How many bytes of a live object may be written; stable. 0 for null.
size_t usable_size(const void* p);

/// Whether a live object begins at `p`, as far as that is known without its span.
bool owns(const void* p);

/// Says what is wrong with a pointer outside every span at which nothing lives; returns where
/// HOTLANE_ON_ERROR lets it.
void report_invalid_pointer(const void* p, Operation operation);

/// Everything free back to the kernel. Returns bytes.
size_t purge_everything();

/// What only this tier can count.
uint64_t count_of_wrong_sized_deletes();

}  // namespace hotlane
