// SPDX-License-Identifier: MIT
//
// Rewrites the statistics file at an interval, and drives what else is due after a maintenance pass.
#include "reports/periodic_report.h"

#include "lifecycle/startup.h"
#include "live/publication.h"
#include "maintenance/background_thread.h"
#include "platform/large_stack.h"
#include "profiler/session.h"
#include "reports/hit_rate_alarm.h"
#include "reports/report.h"
#include "stats/snapshot.h"

#include <algorithm>
#include <atomic>

namespace hotlane::periodic_report {

namespace {

HOTLANE_DATA_OF_EVERY_PROCESS constinit int reporting_process = 0;
constinit std::atomic<uint64_t> next_report_ns{0};
/// The thread that is writing; 0: none.
HOTLANE_DATA_OF_EVERY_PROCESS constinit std::atomic<uint32_t> writer{0};
HOTLANE_DATA_OF_EVERY_PROCESS constinit std::atomic<bool> ended{false};

/// Returns whether this process rewrites the statistics file.
bool rewrites_file() {
    return config().stats_interval_ns != 0 && config().stats != StatsFormat::off &&
           config().stats_file[0] != '\0' && reports_here();
}

/// Rewrites HOTLANE_STATS_FILE when HOTLANE_STATS_INTERVAL has passed since the last write.
void rewrite_file_if_due(uint64_t now_ns) {
    if (now_ns < next_report_ns.load(std::memory_order_relaxed) || !rewrites_file()) {
        return;
    }
    run_on_large_stack([now_ns] {
        if (const SharedSnapshot snapshot(SharedSnapshot::Wait::no); snapshot) {
            next_report_ns.store(now_ns + config().stats_interval_ns, std::memory_order_relaxed);
            write_report_file(config().stats_file, *snapshot, config().stats);
        }
    });
}

/// Whether the caller may also answer the requests of the command.
enum class Answers : uint8_t { yes, no };

/// Writes the files that are due. One thread at a time does it.
void write_what_is_due(uint64_t now_ns, Answers answers) {
    uint32_t nobody = 0;
    // `ended` is read after `writer` is set; end() sets `ended` and then reads `writer`. At least one of the
    // two threads sees the other's store.
    if (writer.compare_exchange_strong(nobody, os::thread_id())) {
        if (!ended.load()) {
            rewrite_file_if_due(now_ns);
            profiling::poll(now_ns);
            const bool in_background = answers == Answers::yes;
            if (in_background || background_thread::missing.load(std::memory_order_relaxed)) {
                live::publish_if_due(now_ns);
            }
            if (in_background) {
                live::answer();
            }
        }
        writer.store(0);
    }
}

void after_pass(uint64_t now_ns) {
    hit_rate_alarm::check();
    write_what_is_due(now_ns, Answers::no);
}

void background_work(uint64_t now_ns) { write_what_is_due(now_ns, Answers::yes); }

/// Returns the interval at which the background thread checks for due files, or UINT64_MAX when there are
/// none.
uint64_t report_interval_ns() {
    constexpr uint64_t kForSignalsNs = 100'000'000;  // and for the requests of the command
    uint64_t interval = rewrites_file() ? config().stats_interval_ns : UINT64_MAX;
    if (live::wanted()) {
        interval = std::min(interval, kForSignalsNs);
    }
    if (profiling::wants_polls()) {
        interval =
            std::min(interval, config().profile_interval_ns != 0 ? config().profile_interval_ns : interval);
        interval = std::min(interval, config().profile_signal != 0 ? kForSignalsNs : interval);
    }
    return interval;
}

}  // namespace

void start() {
    reporting_process = os::process_id();
    const uint64_t interval_ns = report_interval_ns();
    const bool writes = interval_ns != UINT64_MAX;
    if (writes) {
        watch_passes();
    }
    if (writes || config().background_thread) {
        ensure_started();
        background_thread::start(writes ? background_work : nullptr, interval_ns);
    }
}

HOTLANE_IN_EVERY_PROCESS void end() {
    constexpr int kMostWaitsMs = 1000;
    ended.store(true);
    for (int i = 0; i < kMostWaitsMs && writer.load() != 0 && writer.load() != os::thread_id(); ++i) {
        os::sleep_ns(1'000'000);
    }
}

void restart_in_child() {
    writer.store(0);
    next_report_ns.store(0);  // the child's first report is due now
    if (background_thread::wanted()) {
        background_thread::after_fork_in_child(config().background_thread ||
                                               report_interval_ns() != UINT64_MAX);
    }
}

bool reports_here() {
    return os::process_id() == reporting_process ||
           std::string_view(config().stats_file).find("%p") != std::string_view::npos;
}

void watch_passes() { call_after_passes(after_pass); }

}  // namespace hotlane::periodic_report
