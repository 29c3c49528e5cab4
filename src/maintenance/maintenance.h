// SPDX-License-Identifier: MIT
//
// Periodic maintenance: returns unused objects of the caches and depots to their spans, and free pages to the
// kernel. Slow paths and the background thread drive it by poll().
#pragma once

#include "base/base.h"

namespace hotlane::maintenance {

/// Functions of parts that maintenance does not include: the fallback's share of a pass and of
/// purge_everything(), and a listener that is called after each pass.
struct Hooks {
    void (*pass)(uint64_t now_ns) = [](uint64_t) {};
    void (*purge)() = [] {};
    void (*after_pass)(uint64_t now_ns) = [](uint64_t) {};  // called without any lock
};

void set_up(uint64_t purge_delay_ns, const Hooks& chosen);

/// Functions of the thread caches, which lie in a higher layer. Each is called while the calling thread's
/// cache is not locked.
struct CacheHooks {
    /// Moves unused objects from some threads' caches to the depots, or all objects from all caches if `everything`.
    /// Returns true if more unused objects should be moved soon.
    bool (*reclaim)(bool everything) = [](bool) { return false; };
    void (*flush_this_thread)() = [] {};
    /// Makes the calling thread's next request of each class take the slow path.
    void (*poll_soon)() = [] {};
    /// Whether the calling thread has freed anything since its last call.
    bool (*freed_since_asked)() = [] { return false; };
};
void set_cache_hooks(const CacheHooks& chosen);

/// Reads the coarse clock (no system call) and, once per interval, runs a maintenance pass. Only one thread
/// at a time runs a pass; others return at once. Returns the time in nanoseconds.
uint64_t poll();
/// The same for a free. libc also frees in threads that are past their destructors. These must not run a
/// pass, because a pass calls code that registers the thread and expects to learn of its end.
uint64_t poll_at_free();

/// Flush before growth, if it is due: moves the objects on the shelves and in the calling thread's cache back
/// to their spans before the region grows, so that spans that few objects keep open can be used. If more free pages
/// hold memory than the budget allows, the others go back to the kernel. The caller holds no lock. If it is not due,
/// it costs one load.
void flush_before_growth_if_due();

/// Returns all free memory to the kernel now. Returns how many bytes of the region went back.
size_t purge_everything();

/// Called after the system refused a request. If a purge of everything may help, does it and returns true. It
/// may help if something was freed since the last one (to a depot, to the fallback, or by this thread), or if
/// the region has grown since. Frees into other threads' caches cannot be seen, so in addition it purges once
/// in every interval. If it does not purge, it takes no lock that another thread may hold for long.
bool purge_after_refusal();
/// Notes that memory came back that a purge of everything can return. The depots do this themselves.
void note_surplus();

/// The time between two passes in nanoseconds.
uint64_t interval_ns();
/// How long the background thread sleeps: that time, or less while the rest of a pass is due.
uint64_t pause_ns();

void lock_for_fork();
void unlock_after_fork();

}  // namespace hotlane::maintenance
