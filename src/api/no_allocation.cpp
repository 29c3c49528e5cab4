// SPDX-License-Identifier: MIT
//
// Scopes without allocations: differences of the calling thread's counts.
#include "api/no_allocation.h"

#include "lifecycle/startup.h"
#include "thread_cache/thread_counts.h"

namespace hotlane::scopes {

void begin(hotlane_no_allocation& scope, unsigned flags) {
    ensure_started();
    scope = {};
    scope.flags = flags;
    const ThreadCounts now = thread_counts::own();
    scope.allocations_before = now.allocations;
    scope.frees_before = now.frees;
    if ((flags & HOTLANE_NO_ALLOCATION_ABORT) != 0) {
        thread_counts::forbid();
    }
}

bool end(hotlane_no_allocation& scope) {
    if ((scope.flags & HOTLANE_NO_ALLOCATION_ABORT) != 0) {
        thread_counts::allow();
    }
    const ThreadCounts now = thread_counts::own();
    scope.allocations = now.allocations - scope.allocations_before;
    scope.frees = now.frees - scope.frees_before;
    return scope.allocations == 0 && scope.frees == 0;
}

}  // namespace hotlane::scopes
