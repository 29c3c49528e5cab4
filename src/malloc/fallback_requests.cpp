// SPDX-License-Identifier: MIT
//
// The way to the fallback and to the profiler's objects, and back.
// Must not know the hot lane's objects.
// Called through forward.h.
#include "malloc/fallback_requests.h"

#include "base/errno_saver.h"
#include "fallback/fallback.h"
#include "guards/guard.h"
#include "lifecycle/startup.h"
#include "maintenance/background_thread.h"
#include "maintenance/maintenance.h"
#include "profiler/sample_registry.h"
#include "thread_cache/thread_block.h"
#include "thread_cache/thread_registry.h"

#include <algorithm>
#include <cerrno>

namespace hotlane {

namespace {

/// No process has the addresses for it.
bool cannot_exist(size_t n, size_t alignment) { return std::max(n, alignment) >> kAddressBits != 0; }

/// What the fallback answers to `ask`. When that is null, and a purge may find what is missing in the caches
/// and the free pages, it is asked a second time. jemalloc's start sets errno to 0.
template <typename Ask>
void* ask_fallback(Ask ask) {
    const ErrnoKeeper keep;
    if (void* p = ask()) {
        return p;
    }
    return upkeep::purge_after_refusal() ? ask() : nullptr;
}

void count_forward(ForwardReason reason, size_t n) {
    if (ThreadBlock* block = thread_cache.block) {
        ForwardStats& forwards = block->forwards[static_cast<size_t>(reason)];
        ThreadBlock::count(forwards.count, 1);
        ThreadBlock::count(forwards.bytes, n);
    } else {
        threads::count_uncached_forward(reason, n);
    }
}

void count_forward_free() {
    if (ThreadBlock* block = thread_cache.block) {
        ThreadBlock::count(block->forward_frees, 1);
    } else {
        threads::count_uncached_forward_free();
    }
}

/// From now on the profiler follows this block, if it can.
void follow(void* p, size_t n) {
    if (profile::follow(p, fallback::usable_size(p), n)) {
        fallback::mark_sampled(p);
    }
}

/// The same if the sampler chooses it: blocks are drawn one by one.
void follow_if_drawn(void* p, size_t n) {
    if (sampler::running() && sampler::draw(fallback::usable_size(p))) {
        follow(p, n);
    }
}

/// A live block is about to change or to go. True when it was followed; it is no more.
bool unfollow(void* p) {
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

void* forward(size_t n, size_t alignment, bool zeroed, ForwardReason reason) {
    if (cannot_exist(n, alignment)) {
        return no_memory();
    }
    ensure_started();
    background::ensure_running();
    profile::answer_if_called();
    upkeep::tick_if_due();
    if (reason == ForwardReason::limit && config().limit_mode == LimitMode::fail) {
        return no_memory();
    }
    void* p = ask_fallback([=] { return fallback::allocate(n, alignment, zeroed); });
    if (p == nullptr) {
        return no_memory();
    }
    count_forward(reason, n);
    // Only blocks that begin alone in their OS page can be followed: all but small ones that the hot lane had
    // no pages for.
    if (n > kLargestSmall || alignment >= kOsPageSize) {
        follow_if_drawn(p, n);
    }
    return p;
}

void* forward_again(void* p, size_t n) {
    if (cannot_exist(n, fallback::kMinAlignment)) {
        return no_memory();
    }
    upkeep::tick_if_due();
    // To the profiler the old block goes and another comes, wherever that lies.
    const bool followed = unfollow(p);
    void* fresh = ask_fallback([=] { return fallback::reallocate(p, n, fallback::kMinAlignment); });
    if (fresh == nullptr) {
        if (followed) {
            follow(p, fallback::usable_size(p));
        }
        return no_memory();
    }
    upkeep::note_surplus();  // it may be smaller now, or the old block is free
    follow_if_drawn(fresh, n);
    return fresh;
}

void* forward_sampled(ClassIndex c, size_t n) {
    void* p = profile::allocate(c, n);
    if (p != nullptr) {
        count_forward(ForwardReason::sampled, n);
    }
    return p;
}

void* forward_guarded(ClassIndex c, size_t n, size_t alignment, bool is_sample) {
    void* p = guard::allocate(n, alignment);
    if (p == nullptr) {
        return nullptr;
    }
    if (is_sample && profile::follow(p, size_classes[c].object_size, n)) {
        guard::mark_followed(p);
    }
    count_forward(ForwardReason::guarded, n);
    return p;
}

void release_guarded(void* p, Operation operation) {
    if (guard::forgive(p)) {
        return;
    }
    if (profile::used() && guard::is_followed(p)) {
        profile::release(p);
    }
    if (guard::release(p, operation)) {
        count_forward_free();
        upkeep::tick_if_due_at_free();
    }
}

bool release_forwarded(void* p) {
    bool live = false;
    if (profile::contains(p)) {
        live = profile::release(p);
        if (!live && profile::forgive(p)) {
            return true;  // counted when it was freed
        }
    } else {
        unfollow(p);
        live = fallback::release(p);
        upkeep::note_surplus();
    }
    if (live) {
        count_forward_free();
    }
    return live;
}

}  // namespace hotlane
