// SPDX-License-Identifier: MIT
//
// The list of live threads' blocks, and the blocks of ended threads.
#include "thread_cache/thread_registry.h"

#include "depot/depot.h"
#include "maintenance/maintenance.h"
#include "sync/lock_counts.h"
#include "sync/thread_end.h"
#include "thread_cache/reclaim.h"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <utility>

namespace hotlane::thread_registry {

namespace {

HOTLANE_DATA_OF_EVERY_PROCESS constinit Lock list_lock{LockRank::thread_registry};
/// All blocks that ever were, newest first, linked by ThreadBlock::next. Written under the lock.
constinit std::atomic<ThreadBlock*> blocks{nullptr};
/// The blocks without a thread, linked by ThreadBlock::next_free. Under the lock.
constinit ThreadBlock* recycled = nullptr;

struct UncachedCounts {
    std::atomic<uint64_t> allocations{0};
    std::atomic<uint64_t> frees{0};
};
constinit UncachedCounts uncached[kMaxClasses];
constinit std::atomic<uint64_t> uncached_fallbacks[kFallbackReasons];
constinit std::atomic<uint64_t> uncached_fallback_bytes[kFallbackReasons];
constinit std::atomic<uint64_t> uncached_fallback_frees;

void add(std::atomic<uint64_t>& counter, uint64_t n) { counter.fetch_add(n, std::memory_order_relaxed); }

void add_block_to(Snapshot& snapshot, const ThreadBlock& block) {
    for (ClassIndex c = 1; c < size_classes.count; ++c) {
        block.add_to(snapshot.classes[c], c);
    }
    for (size_t reason = 0; reason < kFallbackReasons; ++reason) {
        snapshot.fallback_allocations[reason].count += load_relaxed(block.fallback_allocations[reason].count);
        snapshot.fallback_allocations[reason].bytes += load_relaxed(block.fallback_allocations[reason].bytes);
    }
    snapshot.fallback_frees += load_relaxed(block.fallback_frees);
}

void recycle(ThreadBlock* block) {
    block->next_free = recycled;
    recycled = block;
}

/// What freed_since_asked() last counted: frees by the calling thread or, if it has no cache, fallback frees
/// by all threads without one.
constinit thread_local uint64_t frees_when_asked = 0;

/// Whether the calling thread has freed anything since its last call, as far as its counts tell. The counts
/// include frees that no slow path has seen yet. Does not wait.
bool freed_since_asked() {
    uint64_t frees = 0;
    if (ThreadBlock* block = thread_cache.block; block == nullptr) {
        frees = uncached_fallback_frees_so_far();
    } else if (block->lock.try_lock()) {
        frees = block->counts().frees;
        block->lock.unlock();
    } else {
        return true;  // another thread has locked the cache at this moment
    }
    return std::exchange(frees_when_asked, frees) != frees;
}

/// Destructors that run later may still allocate and free. These operations go to the depots.
void at_thread_end(void*) {
    detach();
    thread_cache.ended = true;
    thread_cache.forbidding = 0;  // what libc frees from here on is not the program's
}

}  // namespace

ThreadBlock* first() { return blocks.load(std::memory_order_acquire); }

void set_up() {
    os::announce_barriers();
    maintenance::set_cache_hooks({.reclaim = reclaim_caches,
                                  .flush_this_thread = flush_this_thread,
                                  .poll_soon = poll_soon,
                                  .freed_since_asked = freed_since_asked});
    thread_end::declare(thread_end::Part::cache, at_thread_end);
    thread_end::set_up();
}

bool attach() {
    ThreadCache& cache = thread_cache;
    // Comes before the cache is in place because it may allocate. What it allocates comes from a depot.
    if (!thread_end::expect(thread_end::Part::cache, &cache)) {
        return false;
    }
    ThreadBlock* block = nullptr;
    {
        LockGuard guard(list_lock);
        block = recycled;
        if (block != nullptr) {
            lock_counts::note_line(&block->next_free);
            recycled = block->next_free;
        } else {
            block = static_cast<ThreadBlock*>(region.take_thread_memory(kThreadMemoryBytes));
            if (block == nullptr) {
                return false;
            }
            // The memory is zero. Only the rank of the lock has to be set.
            new (&block->lock) Lock(LockRank::cache);
            block->next = blocks.load(std::memory_order_relaxed);
            blocks.store(block, std::memory_order_release);
        }
        LockGuard block_guard(block->lock);
        block->cache = &cache;
        block->is_live = true;
        cache.block = block;
    }
    // What former threads did is not this thread's.
    const ThreadCounts counts = block->counts();
    cache.uncached.allocations -= counts.allocations;
    cache.uncached.frees -= counts.frees;
    return true;
}

void detach() {
    ThreadCache& cache = thread_cache;
    ThreadBlock* const block = cache.block;
    if (block == nullptr) {
        return;
    }
    ThreadCounts counts;
    {
        LockGuard guard(block->lock);
        block->retire();
        counts = block->counts();
        cache.block = nullptr;
    }
    cache.uncached.allocations += counts.allocations;
    cache.uncached.frees += counts.frees;
    LockGuard guard(list_lock);
    recycle(block);
}

namespace {

/// While our pthread key is set, libc allocates. That is no request of the thread's code.
void count_uncached_request() { thread_cache.uncached.allocations += thread_end::is_busy() ? 0 : 1; }

}  // namespace

void count_uncached_get(ClassIndex c) {
    count_uncached_request();
    add(uncached[c].allocations, 1);
}
void count_uncached_put(ClassIndex c) {
    ++thread_cache.uncached.frees;
    add(uncached[c].frees, 1);
}
void uncount_uncached_put(ClassIndex c) {
    --thread_cache.uncached.frees;
    add(uncached[c].frees, UINT64_MAX);
}
void count_uncached_fallback(FallbackReason reason, size_t bytes) {
    count_uncached_request();
    add(uncached_fallbacks[static_cast<size_t>(reason)], 1);
    add(uncached_fallback_bytes[static_cast<size_t>(reason)], bytes);
}
void count_uncached_fallback_free() {
    ++thread_cache.uncached.frees;
    add(uncached_fallback_frees, 1);
}
uint64_t uncached_fallback_frees_so_far() { return uncached_fallback_frees.load(std::memory_order_relaxed); }

void add_to(Snapshot& snapshot) {
    uint64_t live = 0;
    uint64_t ended = 0;
    for (ThreadBlock* block = first(); block != nullptr; block = block->next) {
        LockGuard guard(block->lock);
        add_block_to(snapshot, *block);
        live += block->is_live ? 1 : 0;
        ended += block->threads_ended;
    }
    for (ClassIndex c = 1; c < size_classes.count; ++c) {
        ClassStats& stats = snapshot.classes[c];
        stats.misses += uncached[c].allocations.load(std::memory_order_relaxed);
        stats.frees += uncached[c].frees.load(std::memory_order_relaxed);
    }
    for (size_t reason = 0; reason < kFallbackReasons; ++reason) {
        snapshot.fallback_allocations[reason].count +=
            uncached_fallbacks[reason].load(std::memory_order_relaxed);
        snapshot.fallback_allocations[reason].bytes +=
            uncached_fallback_bytes[reason].load(std::memory_order_relaxed);
    }
    snapshot.fallback_frees += uncached_fallback_frees.load(std::memory_order_relaxed);
    snapshot.threads_live = live;
    snapshot.threads_ended = ended;
}

Requests count_requests() {
    ClassStats sum;
    uint64_t fallback = 0;
    for (ThreadBlock* block = first(); block != nullptr; block = block->next) {
        LockGuard block_guard(block->lock);
        for (ClassIndex c = 1; c < size_classes.count; ++c) {
            block->add_to(sum, c);
        }
        for (const FallbackStats& allocations : block->fallback_allocations) {
            fallback += load_relaxed(allocations.count);
        }
    }
    for (ClassIndex c = 1; c < size_classes.count; ++c) {
        sum.misses += uncached[c].allocations.load(std::memory_order_relaxed);
    }
    for (size_t reason = 0; reason < kFallbackReasons; ++reason) {
        fallback += uncached_fallbacks[reason].load(std::memory_order_relaxed);
    }
    return {.all = sum.allocations() + fallback, .misses = sum.misses};
}

// ---- fork -------------------------------------------------------------------------------------------------

void lock_all() {
    list_lock.lock();
    for (ThreadBlock* block = first(); block != nullptr; block = block->next) {
        block->lock.lock();
    }
}

void unlock_all() {
    for (ThreadBlock* block = first(); block != nullptr; block = block->next) {
        block->lock.unlock();
    }
    list_lock.unlock();
}

void adopt_all_in_child() {
    LockGuard guard(list_lock);
    recycled = nullptr;  // made anew: a block of a thread that was about to end is in no list
    for (ThreadBlock* block = first(); block != nullptr; block = block->next) {
        // The block is asked, not the cache: a signal handler that forks may have interrupted attach() before
        // it stored the block in the cache.
        if (block->cache == &thread_cache) {
            continue;
        }
        if (block->is_live) {
            LockGuard block_guard(block->lock);
            block->undo_newest_frees();
            block->retire();
        }
        recycle(block);
    }
    for (ClassIndex c = 1; c < size_classes.count; ++c) {
        add(uncached[c].frees, -uint64_t{depots[c].undo_newest_frees()});  // frees of other threads
    }
}

}  // namespace hotlane::thread_registry
