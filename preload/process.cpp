// SPDX-License-Identifier: MIT
//
// The process: what happens when it starts, forks and ends.
// Must not know how counters are counted or printed.
// Called by the loader and by libc.
#include "allocator.h"
#include "background.h"
#include "fork.h"
#include "live.h"
#include "observe/report.h"
#include "profiling.h"
#include "snapshot.h"

#include <unistd.h>

// What pthread_atfork() is on glibc: a function of each library's own that passes this on. Ours would lie at
// the far end of the code, and a process would touch it there only for that.
extern "C" {
// NOLINTNEXTLINE(bugprone-reserved-identifier,readability-identifier-naming)
int __register_atfork(void (*before)(), void (*in_parent)(), void (*in_child)(), void* library);
// NOLINTNEXTLINE(bugprone-reserved-identifier,readability-identifier-naming)
extern void* __dso_handle;
}

namespace hotlane {

namespace {

constinit uint64_t stderr_at_start = 0;

/// Into whatever took the place of a closed stderr nothing is written.
bool stderr_is_ours() {
    return stderr_at_start != 0 && os::descriptor_identity(STDERR_FILENO) == stderr_at_start;
}

void write_report_at_exit() {
    if (config().stats == StatsFormat::off || !live::reports_here()) {
        return;
    }
    static constinit Snapshot snapshot;  // too large for some stacks
    take_snapshot(snapshot);
    if (config().stats_file[0] != '\0') {
        write_report_file(config().stats_file, snapshot, config().stats);
    } else if (stderr_is_ours()) {
        Writer out(STDERR_FILENO);
        write_report(out, snapshot, config().stats);
    }
    if (stderr_is_ours() && !config().check) {
        Writer out(STDERR_FILENO);
        write_hit_alarm(out, snapshot, config().hit_alarm_percent, config().cache_bytes);
    }
}

[[gnu::destructor]] void at_exit() {
    if (locks_are_lost()) {
        return;
    }
    live::end();
    if (config().wants_profile()) {
        profiling::at_exit();
    }
    write_report_at_exit();
}

void lock_everything() {
    if (background::wanted()) {
        background::before_fork();
    }
    lock_snapshot_for_fork();
    before_fork();
}

void in_parent() {
    after_fork_parent();
    unlock_snapshot_after_fork();
}

void in_child() {
    after_fork_child();
    unlock_snapshot_after_fork();
    if (config().wants_profile()) {
        profiling::forget_in_child();
    }
    live::restart_in_child();
}

// Registered before any library of the program can: so our handlers run last before a fork and first in the
// child.
[[gnu::constructor]] void at_start() {
    ensure_configured();
    if (config().stats != StatsFormat::off) {
        stderr_at_start = os::descriptor_identity(STDERR_FILENO);
    }
    if (config().wants_profile()) {
        profiling::set_up();
    }
    __register_atfork(lock_everything, in_parent, in_child, __dso_handle);
    if (config().stats != StatsFormat::off || config().background || profiling::wants_ticks()) {
        live::start();
    }
}

}  // namespace

}  // namespace hotlane
