// SPDX-License-Identifier: MIT
//
// hotlane's only thread of its own: it sleeps for an interval and does what is due, until the process ends.
#include "maintenance/background_thread.h"

#include "maintenance/maintenance.h"
#include "platform/os.h"

#include <algorithm>

namespace hotlane::background_thread {

HOTLANE_DATA_OF_EVERY_PROCESS constinit std::atomic<bool> missing{false};

namespace {

constinit bool is_wanted = false;
constinit auto report = static_cast<void (*)(uint64_t)>(nullptr);
constinit uint64_t report_interval_ns = UINT64_MAX;
constinit bool forked_beside_threads = false;
constinit std::atomic<uint64_t> next_try_ns{0};

/// The shortest sleep. Even with a very short purge delay, the thread must not occupy a processor.
constexpr uint64_t kShortestPauseNs = 100'000;
/// After a failed attempt to start the thread.
constexpr uint64_t kPauseBetweenTriesNs = 1'000'000'000;

/// Whether all other threads have ended. If main ends by pthread_exit(), the process lives until its last
/// thread ends, so the background thread must end, too. The test reads a file of /proc and is made every 100
/// ms at most.
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
        os::sleep_ns(std::max(std::min(maintenance::pause_ns(), report_interval_ns), kShortestPauseNs));
    }
}

}  // namespace

void start_missing() {
    const uint64_t now = os::coarse_ns();
    uint64_t due = next_try_ns.load(std::memory_order_relaxed);
    if (now < due || !next_try_ns.compare_exchange_strong(due, now + kPauseBetweenTriesNs)) {
        return;
    }
    // `missing` is cleared first: starting the thread allocates, which may lead here again.
    // Pairs with the stores of `missing`: if several threads come here, only one starts the thread.
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

// POSIX allows the forked child of a process with several threads to call only async-signal-safe functions:
// another thread may have held a lock of libc.
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
