// SPDX-License-Identifier: MIT
//
// The one thread of our own: does the upkeep of a program that is idle, and the reports that are due
// meanwhile. Must not know what upkeep and reports do. Started by live when the process starts, if an option
// asks for it; by requests that miss, where that failed and in forked children.
#pragma once

#include "base/base.h"

#include <atomic>

namespace hotlane::background_thread {

/// A thread is wanted, and is not running.
HOTLANE_HIDDEN extern std::atomic<bool> missing;
void start_missing();

/// From now on there is to be a thread. `report` (null: nothing) is called at once, and then at least every
/// `interval_ns`. The caller holds no lock of ours, nor one that creating a thread takes: glibc frees under
/// such a one.
void start(void (*report)(uint64_t now_ns), uint64_t interval_ns);
/// Starts the thread if it is wanted and not running. The caller as above.
inline void ensure_running() {
    if (missing.load(std::memory_order_relaxed)) [[unlikely]] {
        start_missing();
    }
}

/// Whether start() was called.
bool wanted();
/// Around fork(), if a thread is wanted, without any lock of ours. The child has no thread but the one that
/// forked: where its parent had no other either, besides ours, and `wanted`, ours is started again; else the
/// next request that misses starts it.
void before_fork();
void after_fork_in_child(bool wanted);

}  // namespace hotlane::background_thread
