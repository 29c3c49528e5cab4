// SPDX-License-Identifier: MIT
//
// All threads that have a cache: who they are, how they come and go, and what others may do to their caches.
// Knows nothing of the fallback or of options.
// Called by thread_cache (its own thread), by upkeep, statistics and fork (all threads).
#pragma once

#include "thread_cache/thread_block.h"

namespace hotlane::thread_registry {

/// What the end of a thread and taking from other threads' caches need. Before the first attach.
void set_up();

/// Gives the calling thread a block, from those of ended threads or fresh; false: no memory, or it is not
/// certain that the thread's end will take the block back.
bool attach();
/// The calling thread's objects go to the depots, its counts to the totals, its block to the next thread.
void detach();

/// Operations of threads without a cache.
void count_uncached_get(ClassIndex c);
/// `n` is below zero where frees turned out not to have happened.
void count_uncached_puts(ClassIndex c, int n);
void count_uncached_fallback(FallbackReason reason, size_t bytes);
void count_uncached_fallback_free();
uint64_t uncached_fallback_frees_so_far();  // so far

/// Adds every thread's counts, ended ones and uncached operations included.
void add_to(Snapshot& snapshot);

/// Takes most of what lies unused in caches: classes not touched since the last call, or (`everything`) all
/// of them. The calling thread's own cache is flushed whole. Works on threads that sleep, without waking
/// them.
void reclaim(bool everything);

/// fork: the locks of the registry and of every cache, and what the child does with the threads it lost.
void lock_all();
void unlock_all();
void adopt_all_in_child();

}  // namespace hotlane::thread_registry
