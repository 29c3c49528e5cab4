// SPDX-License-Identifier: MIT
//
// What is due from time to time: unused cache and depot objects back to their spans, free pages back to the
// kernel. Knows nothing of who drives it. Called from slow paths (poll), by the background thread, and
// by malloc_trim (purge_everything).
#pragma once

#include "base/base.h"

namespace hotlane::maintenance {

/// What lies beside us, not below: the fallback's share of a tick and of purging everything, and who else
/// wants to be called.
struct Hooks {
    void (*tick)(uint64_t now_ns) = nullptr;
    void (*purge)() = nullptr;
    void (*after_pass)(uint64_t now_ns) = nullptr;  // without any lock
};

void set_up(uint64_t purge_delay_ns, Hooks neighbour);

/// What the thread caches, which lie above this, do when it is due. Each is called without the caller's cache
/// locked.
struct CacheHooks {
    /// Unused objects of all threads' caches go to the depots; `everything`: used ones, too.
    void (*reclaim)(bool everything) = [](bool) {};
    void (*flush_this_thread)() = [] {};
    /// The calling thread's next request of each class takes the slow path.
    void (*poll_soon)() = [] {};
    /// Whether the calling thread has freed anything since it last asked.
    bool (*freed_since_asked)() = [] { return false; };
};
void set_cache_hooks(const CacheHooks& hooks);

/// A look at the clock (nanoseconds, no system call) and, once per interval, the work. At most one thread
/// works; the others go on.
uint64_t poll();  // returns what the clock said
/// The same for a free. libc frees in threads that are past their destructors, where the work must not be
/// done: it lets others know the thread.
uint64_t poll_at_free();

/// Before the region grows: now and then, the rings and the calling thread's cache go back to their spans, so
/// that what few objects pinned can be used. The caller holds no lock.
void flush_before_growth_if_due();

/// Everything that is free goes back to the kernel now. Returns the bytes of the region that did.
size_t purge_everything();

/// After the system refused a request: the same, and true, if that may help. It may when something came back
/// since the last purge of everything (to a depot, to the fallback, or from this thread), or when the region
/// has grown since. What other threads have in their caches cannot be seen from here: for that, once in every
/// interval. Takes no lock that another thread may hold for long when it does not purge.
bool purge_after_refusal();
/// Says that something came back that a purge of everything would make use of; the depots say so themselves.
void note_surplus();

/// Interval of the work, nanoseconds: for the background thread.
uint64_t interval_ns();

void lock_for_fork();
void unlock_after_fork();

}  // namespace hotlane::maintenance
