// SPDX-License-Identifier: MIT
//
// The one thread of our own: sleeps an interval, does what is due, for as long as the process lives.
// Must not know what upkeep and reports do.
// Called through background.h.
#include "maintenance/background_thread.h"

#include "maintenance/maintenance.h"
#include "platform/os.h"

#include <algorithm>

namespace hotlane::background_thread {

// In .data: every start writes there anyway.
[[gnu::section(".data")]] constinit std::atomic<bool> missing{false};

namespace {

constinit bool is_wanted = false;
constinit auto report = static_cast<void (*)(uint64_t)>(nullptr);
constinit uint64_t report_interval_ns = UINT64_MAX;
constinit bool forked_beside_threads = false;
constinit std::atomic<uint64_t> next_try_ns{0};

/// However short the delay of purges is, the thread leaves the processor to others.
constexpr uint64_t kShortestPauseNs = 100'000;
/// After a refusal.
constexpr uint64_t kPauseBetweenTriesNs = 1'000'000'000;

/// The process ends with its last thread: that must not be this one, when main has ended by pthread_exit().
/// O(a file of /proc), so it is asked now and then.
bool others_have_ended(uint64_t now_ns, uint64_t& next_look_ns) {
    constexpr uint64_t kBetweenLooksNs = 100'000'000;
    if (now_ns < next_look_ns) {
        return false;
    }
    next_look_ns = now_ns + kBetweenLooksNs;
    return os::is_only_thread_left();
}

void body() {
    uint64_t next_look_ns = 0;
    for (uint64_t now = os::monotonic_ns(); !others_have_ended(now, next_look_ns); now = os::monotonic_ns()) {
        if (report != nullptr) {
            report(now);
        }
        maintenance::poll();
        os::sleep_ns(std::max(std::min(maintenance::interval_ns(), report_interval_ns), kShortestPauseNs));
    }
}

}  // namespace

void start_missing() {
    const uint64_t now = os::coarse_ns();
    uint64_t due = next_try_ns.load(std::memory_order_relaxed);
    if (now < due || !next_try_ns.compare_exchange_strong(due, now + kPauseBetweenTriesNs)) {
        return;
    }
    // Marked before it starts: starting it allocates, and may come by here again.
    // Pairs with the stores of `missing`: only one thread of several starts it.
    if (missing.exchange(false) && !os::start_thread(body)) {
        missing.store(true);
    }
}

void start(void (*new_report)(uint64_t), uint64_t interval_ns) {
    is_wanted = true;
    report = new_report;
    report_interval_ns = interval_ns;
    missing.store(true);
    start_missing();
}

bool wanted() { return is_wanted; }

// Of a process with other threads, a child must not call what is not safe in a signal handler, says POSIX:
// such a thread may have held a lock of libc's.
void before_fork() {
    constexpr unsigned kOursAndTheCaller = 2;
    forked_beside_threads = os::thread_count() > kOursAndTheCaller;
}

void after_fork_in_child(bool wanted) {
    missing.store(wanted);
    next_try_ns.store(0);
    if (wanted && !forked_beside_threads) {
        start_missing();
    }
}

}  // namespace hotlane::background_thread
