// SPDX-License-Identifier: MIT
//
// hotlane's only thread of its own. It runs maintenance and periodic reports while the program is idle. It
// starts with the process if an option asks for it. If that fails, and in forked children, a request that
// misses starts it.
#pragma once

#include "base/base.h"

#include <atomic>

namespace hotlane::background_thread {

/// The thread is wanted but not running.
HOTLANE_HIDDEN extern std::atomic<bool> missing;
void start_missing();

/// Makes the thread wanted, and starts it. The thread calls `report`, unless it is null, at once and then at
/// least every `interval_ns`. The caller must hold no lock of hotlane, and no lock that the creation of a
/// thread takes: glibc frees under such a lock.
void start(void (*report)(uint64_t now_ns), uint64_t interval_ns);
/// Starts the thread if it is wanted and not running. The same conditions hold for the caller.
inline void ensure_running() {
    if (missing.load(std::memory_order_relaxed)) [[unlikely]] {
        start_missing();
    }
}

/// Whether start() was called.
bool wanted();
/// Called around fork() without any lock of hotlane; before_fork() only if the thread is wanted. The child
/// has only the thread that forked. If `wanted` and the parent had no third thread, after_fork_in_child()
/// starts the background thread again; otherwise the next request that misses starts it.
void before_fork();
void after_fork_in_child(bool wanted);

}  // namespace hotlane::background_thread
