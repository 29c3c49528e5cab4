// SPDX-License-Identifier: MIT
//
// What happens when the process starts and ends, and the registration of the fork handlers.
#include "atfork.h"
#include "binding.h"
#include "guards/guard.h"
#include "lifecycle/fork.h"
#include "live/publication.h"
#include "malloc/allocator.h"
#include "profiler/session.h"
#include "reports/periodic_report.h"
#include "reports/report.h"
#include "stats/snapshot.h"
#include "thread_cache/thread_cache.h"

#include <atomic>
#include <unistd.h>

namespace hotlane {

namespace {

void write_report_at_exit() {
    if (config().stats == StatsFormat::off || !periodic_report::reports_here()) {
        return;
    }
    const OwnSnapshot snapshot;
    if (config().stats_file[0] != '\0') {
        write_report_file(config().stats_file, *snapshot, config().stats);
    } else if (standard_error_is_ours()) {
        Writer out(STDERR_FILENO);
        write_report(out, *snapshot, config().stats);
    }
    if (standard_error_is_ours() && !config().check_frees) {
        Writer out(STDERR_FILENO);
        write_hit_alarm(out, *snapshot, config().hit_rate_warning_percent, config().thread_cache);
        write_pool_alarms(out, *snapshot, config().hit_rate_warning_percent);
    }
}

[[gnu::destructor]] void at_exit() {
    if (locks_are_lost()) {
        return;
    }
    periodic_report::end();
    if (live::wanted()) {
        live::end();
    }
    if (config().wants_profile()) {
        profiling::at_exit();
    }
    write_report_at_exit();
}

void start_guards() {
    if (guard::set_up({.one_in = config().guard_one_in, .on_error = config().on_error})) {
        poll_soon();  // from its next request on, this thread draws which ones are guarded
    } else {
        message("no memory for guards: nothing is guarded");
    }
}

[[gnu::constructor]] void at_start() {
    ensure_configured();
    remember_standard_error();
    if (config().wants_profile()) {
        profiling::set_up();
    }
    if (config().guard_one_in != 0) {
        start_guards();
    }
    register_fork_handlers();
    if (live::wanted()) {
        live::start();
    }
    if (config().stats != StatsFormat::off || config().background_thread || profiling::wants_polls() ||
        live::wanted()) {
        periodic_report::start();
    }
}

}  // namespace

// Our handlers must be the first ones registered. They then run last before a fork and first after it. Before
// that point, handlers of libraries may allocate, or wait for threads that do. If the program has a malloc of
// its own, no handlers are registered. Such a program may lock its malloc in a fork handler. libc allocates
// from that malloc, so whatever our handlers make libc allocate would wait forever. In such a program we have
// hardly anything to protect.
void register_fork_handlers() {
    static constinit std::atomic<bool> registered{false};
    if (Malloc::is_ours() && !registered.exchange(true)) {
        register_own_atfork(before_fork, after_fork_parent, after_fork_child);
    }
}

}  // namespace hotlane
