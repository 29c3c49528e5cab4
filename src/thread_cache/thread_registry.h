// SPDX-License-Identifier: MIT
//
// The list of all threads that have a cache: how threads come and go, and what maintenance, statistics and
// fork do with their caches.
#pragma once

#include "thread_cache/thread_block.h"

namespace hotlane::thread_registry {

/// Prepares for the ends of threads and for reclaiming from other threads' caches. Call it before attach().
void set_up();

/// Gives the calling thread a block, either a recycled or a fresh one. Returns false if there is no memory,
/// or if it is not certain that detach() will be called at the thread's end.
bool attach();
/// Flushes the calling thread's objects to the depots, adds its counts to the totals and recycles its block.
void detach();

// Counts of operations by threads without a cache.

void count_uncached_get(ClassIndex c);
void count_uncached_put(ClassIndex c);
/// Undoes the last call, because the free was refused.
void uncount_uncached_put(ClassIndex c);
void count_uncached_fallback(FallbackReason reason, size_t bytes);
void count_uncached_fallback_free();
uint64_t uncached_fallback_frees_so_far();

/// Adds the counts of all threads, including ended ones, and of uncached operations.
void add_to(Snapshot& snapshot);

/// The requests of all threads so far, and those small ones among them that were misses. Cheaper than add_to().
struct Requests {
    uint64_t all = 0;
    uint64_t misses = 0;
};
Requests count_requests();

/// All blocks that ever were, linked by ThreadBlock::next: blocks are recycled and never freed. So the list can be
/// walked without a lock, and a walk can be continued later. Whether a block has a thread is known under its lock.
ThreadBlock* first();

// For fork: takes and releases the locks of the registry and of every cache. In the child,
// adopt_all_in_child() retires the blocks of the threads that the child does not have.

void lock_all();
void unlock_all();
void adopt_all_in_child();

}  // namespace hotlane::thread_registry
