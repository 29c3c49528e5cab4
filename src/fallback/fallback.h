// SPDX-License-Identifier: MIT
//
// The fallback tier: a private jemalloc that serves the requests that the size classes cannot serve.
#pragma once

#include "base/base.h"

namespace hotlane::fallback {

/// Every block is aligned to at least this.
inline constexpr size_t kMinAlignment = 16;

struct Statistics {
    size_t allocated_bytes;  // in live blocks, rounded up to jemalloc's sizes
    size_t resident_bytes;   // resident memory, metadata included
};

/// From now on, asks for 2-MiB pages for newly mapped memory once `bytes` are mapped. SIZE_MAX: never.
void ask_for_huge_pages_from(size_t bytes);

/// Allocates a block of at least `bytes` (0 counts as 1). Null if there is no memory. `alignment` is any
/// power of two.
void* allocate(size_t bytes, size_t alignment, bool zeroed);
/// Resizes `p`, a live block, to `bytes`: in place if jemalloc can, otherwise by copying. On failure it
/// returns null and leaves `p` as it is.
void* reallocate(void* p, size_t bytes, size_t alignment);
/// Frees a block. Does nothing and returns false if `p` is not a live block of the fallback.
bool release(void* p);
/// How many bytes of a live block may be written. The number does not change until the block is reallocated.
size_t usable_size(const void* p);
/// Whether `p` is the start of a live block. Exact for blocks that begin alone in their OS page (all blocks
/// of 16 KiB and more). Smaller blocks may share a page; then it tells whether any live block begins there.
bool owns(const void* p);
/// Whether a block that was freed began at `p`. Known until another block begins in the same OS page.
bool released(const void* p);

/// Marks a live block as tracked by the profiler; sampled() tells whether it is marked. Only blocks that
/// begin alone in their OS page can be marked: all blocks of 16 KiB and more, and those that were allocated
/// with an alignment of kSmallestOsPage.
void mark_sampled(const void* p);
void unmark_sampled(const void* p);
bool sampled(const void* p);

/// Whether jemalloc is initialised. It is when the first block is requested; before that it holds no memory.
bool used();
/// Gives the pages of the free blocks in the calling thread's cache to the region now, and returns free memory outside
/// the region to the system. Does nothing before the first block.
void purge();
/// The fallback's part of a maintenance pass: calls purge() once when no block was allocated or freed for half a
/// second, and every few seconds under load. If nothing is due, it costs one load.
void pass(uint64_t now_ns);
Statistics statistics();

/// Called before fork() takes any lock. From then on jemalloc does not start in any thread, and has allocated
/// what it needs for this one.
void prepare_for_fork();
/// Called around fork(). jemalloc's locks rank between LockRank::cache and LockRank::depot.
void lock_for_fork();
void after_fork_parent();
void after_fork_child();

}  // namespace hotlane::fallback
