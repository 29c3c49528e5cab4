// SPDX-License-Identifier: MIT
//
// Fallback allocations, sampled and guarded objects, and their frees.
#include "malloc/fallback_requests.h"

#include "base/errno_saver.h"
#include "fallback/fallback.h"
#include "guards/guard.h"
#include "lifecycle/startup.h"
#include "maintenance/background_thread.h"
#include "maintenance/maintenance.h"
#include "profiler/sample_registry.h"
#include "thread_cache/thread_block.h"
#include "thread_cache/thread_counts.h"
#include "thread_cache/thread_registry.h"

#include <algorithm>
#include <cerrno>

namespace hotlane {

namespace {

/// Whether the request exceeds the address space of every process.
bool cannot_exist(size_t n, size_t alignment) { return std::max(n, alignment) >> kAddressBits != 0; }

/// Calls `ask`, a request to the fallback. If it returns null and a purge may free memory in the caches and
/// the free pages, purges and calls it a second time. Keeps errno, which jemalloc's start sets to 0.
template <typename Ask>
void* ask_fallback(Ask ask) {
    const ErrnoSaver keep;
    if (void* p = ask()) {
        return p;
    }
    return maintenance::purge_after_refusal() ? ask() : nullptr;
}

void count_fallback(FallbackReason reason, size_t n) {
    if (ThreadBlock* block = thread_cache.block) {
        FallbackStats& fallback_allocations = block->fallback_allocations[static_cast<size_t>(reason)];
        add_relaxed(fallback_allocations.count, 1);
        add_relaxed(fallback_allocations.bytes, n);
    } else {
        thread_registry::count_uncached_fallback(reason, n);
    }
}

void count_fallback_free() {
    if (ThreadBlock* block = thread_cache.block) {
        add_relaxed(block->fallback_frees, 1);
    } else {
        thread_registry::count_uncached_fallback_free();
    }
}

/// Makes the profiler track this block, if it can.
void track_sample(void* p, size_t n) {
    if (profile::track_sample(p, fallback::usable_size(p), n)) {
        fallback::mark_sampled(p);
    }
}

/// The same if the sampler draws this block. Each block is drawn separately.
void track_if_drawn(void* p, size_t n) {
    if (sampler::running() && sampler::draw(fallback::usable_size(p))) {
        track_sample(p, n);
    }
}

/// Called before a live block changes or is freed: stops tracking it. Returns whether it was tracked.
bool untrack_sample(void* p) {
    if (!profile::used() || !fallback::sampled(p)) {
        return false;
    }
    fallback::unmark_sampled(p);
    return profile::release(p);
}

}  // namespace

void* no_memory() {
    errno = ENOMEM;
    return nullptr;
}

void* allocate_fallback(size_t n, size_t alignment, bool zeroed, FallbackReason reason) {
    if (cannot_exist(n, alignment)) {
        return no_memory();
    }
    ensure_started();
    thread_counts::check_allocation(n);
    background_thread::ensure_running();
    profile::answer_if_called();
    maintenance::poll();
    maintenance::flush_before_growth_if_due();  // the blocks before this one may have made the region grow
    if (reason == FallbackReason::limit && config().limit_mode == LimitMode::fail) {
        return no_memory();
    }
    void* p = ask_fallback([=] { return fallback::allocate(n, alignment, zeroed); });
    if (p == nullptr) {
        return no_memory();
    }
    count_fallback(reason, n);
    // Only blocks that begin alone in their OS page can be tracked. Small blocks, for which the region had no
    // pages, share theirs.
    if (n > kLargestSmall || alignment >= kSmallestOsPage) {
        track_if_drawn(p, n);
    }
    return p;
}

void* reallocate_fallback(void* p, size_t n) {
    if (cannot_exist(n, fallback::kMinAlignment)) {
        return no_memory();
    }
    thread_counts::check_allocation(n);
    maintenance::poll();
    // The profiler sees a free of the old block and a new allocation, even if the address stays the same.
    const bool tracked = untrack_sample(p);
    void* fresh = ask_fallback([=] { return fallback::reallocate(p, n, fallback::kMinAlignment); });
    if (fresh == nullptr) {
        if (tracked) {
            track_sample(p, fallback::usable_size(p));
        }
        return no_memory();
    }
    thread_counts::count_reallocation();
    maintenance::note_surplus();  // the block shrank, or the old block became free
    track_if_drawn(fresh, n);
    return fresh;
}

void* allocate_sampled(ClassIndex c, size_t n) {
    void* p = profile::allocate(c, n);
    if (p != nullptr) {
        count_fallback(FallbackReason::sampled, n);
    }
    return p;
}

void* allocate_guarded(ClassIndex c, size_t n, size_t alignment, bool is_sample) {
    void* p = guard::allocate(n, alignment);
    if (p == nullptr) {
        return nullptr;
    }
    if (is_sample && profile::track_sample(p, size_classes[c].object_size, n)) {
        guard::mark_tracked(p);
    }
    count_fallback(FallbackReason::guarded, n);
    return p;
}

void release_guarded(void* p, Operation operation) {
    if (guard::forgive(p)) {
        return;
    }
    if (profile::used() && guard::is_tracked(p)) {
        profile::release(p);
    }
    if (guard::release(p, operation)) {
        count_fallback_free();
        maintenance::poll_at_free();
    }
}

bool release_sampled(void* p) {
    if (!profile::release(p)) {
        return profile::forgive(p);  // its first free was counted
    }
    count_fallback_free();
    return true;
}

bool release_fallback(void* p) {
    untrack_sample(p);
    const bool live = fallback::release(p);
    maintenance::note_surplus();
    if (live) {
        count_fallback_free();
    }
    return live;
}

}  // namespace hotlane
