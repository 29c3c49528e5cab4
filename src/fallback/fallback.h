// SPDX-License-Identifier: MIT
//
// The fallback tier: a private jemalloc that serves what the hot lane does not.
// Must not know why a request came here, nor anything of classes, spans or the region.
// Called by allocator alone; fallback.cpp is the only file that names jemalloc.
#pragma once

#include "base/base.h"

namespace hotlane::fallback {

/// The alignment of every block, whatever is asked for.
inline constexpr size_t kMinAlignment = 16;

struct Statistics {
    size_t allocated_bytes;  // in blocks that are live, rounded up as jemalloc does
    size_t resident_bytes;   // memory held, metadata included
};

/// From now on 2-MiB pages are asked for where memory is mapped, once there is `bytes` of it; SIZE_MAX:
/// never.
void ask_for_huge_pages_from(size_t bytes);

/// A block of at least `bytes` (0 counts as 1), or null. `alignment` is a power of two, any size.
void* allocate(size_t bytes, size_t alignment, bool zeroed);
/// Makes `p`, a live block, `bytes` large: in place where jemalloc can, else by copying. Null: `p` is as
/// before.
void* reallocate(void* p, size_t bytes, size_t alignment);
/// Gives a block back. False, and nothing done, when `p` is not a live block of the fallback.
bool release(void* p);
/// How many bytes of a live block may be written. It never changes while the block lives.
size_t usable_size(const void* p);
/// Whether `p` is the start of a live block. Exact for blocks that begin alone in their OS page (all of 16
/// KiB and more); smaller ones share pages, and there it means: a live block begins in the same OS page.
bool owns(const void* p);
/// Whether a block that was given back began at `p`. Known until another block begins in the same OS page.
bool released(const void* p);

/// Marks a live block as one the profiler follows, for sampled() to tell. Only blocks whose `bytes` were a
/// multiple of the OS page size and at least 16 KiB, or were allocated with kOsPageSize alignment, can be
/// marked.
void mark_sampled(const void* p);
void unmark_sampled(const void* p);
bool sampled(const void* p);

/// Whether any block was ever asked for; until then jemalloc is not initialised and holds nothing.
bool used();
/// Returns the memory of all free blocks to the system now. Does nothing before the first block.
void purge();
/// Purges by our own clock: once when nothing moved for half a second, and every few seconds under load.
/// For slow paths: two loads when nothing is due.
void tick(uint64_t now_ns);
Statistics statistics();

/// Before fork() takes any lock: from here on jemalloc does not start, and has what it needs of this thread.
void prepare_for_fork();
/// Around fork(): jemalloc's locks rank between LockRank::threads and LockRank::depot.
void lock_for_fork();
void after_fork_parent();
void after_fork_child();

}  // namespace hotlane::fallback
