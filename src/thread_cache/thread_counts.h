// SPDX-License-Identifier: MIT
//
// What the calling thread has allocated and freed, and scopes in which it may do neither.
#pragma once

#include "thread_cache/thread_cache.h"

namespace hotlane::thread_counts {

/// The requests of the calling thread since it started: exact, and never less than before. A realloc counts as
/// one allocation and one free, also if the object stays. May be called from a signal handler; if that
/// interrupted a request, it may count already. O(classes).
ThreadCounts own();

/// Between these two, each request of the calling thread is a mistake of the program, and is reported as one.
/// They nest. The first one empties the thread's cache, so that each request takes the slow path, which
/// calls check(); the fast path knows nothing of it.
void forbid();
void allow();

/// Whether the calling thread is between forbid() and allow().
inline bool forbidden() { return thread_cache.forbidding != 0; }
/// Reports an allocation of `n` bytes, or a free of `p`. The caller holds no lock.
void report_allocation(size_t n);
void report_free(const void* p);

/// Called by every slow path before it serves a request.
inline void check_allocation(size_t n) {
    if (forbidden()) [[unlikely]] {
        report_allocation(n);
    }
}
inline void check_free(const void* p) {
    if (forbidden()) [[unlikely]] {
        report_free(p);
    }
}

/// Counts a realloc that left its object where it was, or one of the fallback.
inline void count_reallocation() {
    ++thread_cache.uncached.allocations;
    ++thread_cache.uncached.frees;
}

}  // namespace hotlane::thread_counts
