// SPDX-License-Identifier: MIT
//
// The one thread of our own: sleeps an interval, does what is due, for as long as the process lives.
// Must not know what upkeep does.
// Called by the slow path of requests, and by fork.
#include "background.h"

#include "base/os.h"
#include "cache/upkeep.h"

#include <atomic>

namespace hotlane::background {

namespace {

constinit std::atomic<bool> running{false};

void body() {
    for (;;) {
        os::sleep_ns(upkeep::interval_ns());
        upkeep::tick_if_due();
    }
}

}  // namespace

void ensure_running() {
    if (!upkeep::has_ticked()) {
        return;  // the process may still be starting: its loader holds locks that a new thread takes
    }
    // Marked before it starts: starting it allocates, and may come by here again.
    if (!running.load(std::memory_order_relaxed) && !running.exchange(true) && !os::start_thread(body)) {
        running.store(false);  // no thread to be had: the next tick tries again
    }
}

void forget_in_child() { running.store(false); }

}  // namespace hotlane::background
