// SPDX-License-Identifier: MIT
//
// fork(): every lock of every tier, in rank order; what the child does with the threads it lost.
// Must not know who forks.
// Registered by process.
#include "lifecycle/fork.h"

#include "depot/depot.h"
#include "diagnostics/misuse.h"
#include "fallback/fallback.h"
#include "guards/guard.h"
#include "lifecycle/startup.h"
#include "maintenance/background_thread.h"
#include "maintenance/maintenance.h"
#include "profiler/sample_registry.h"
#include "profiler/session.h"
#include "reports/periodic_report.h"
#include "stats/pool_registry.h"
#include "stats/snapshot.h"
#include "sync/critical_section.h"
#include "sync/thread_end.h"
#include "thread_cache/thread_registry.h"

namespace hotlane {

constinit Lock fork_handlers_lock{LockRank::fork_handlers};

namespace {

/// The calling thread's fork, from the first handler to the last.
struct OwnFork {
    uint64_t signals = 0;       // the mask to be restored
    bool locked = false;        // every lock is held
    bool locked_files = false;  // libc's list of open files is held
};
[[gnu::tls_model("initial-exec")]] constinit thread_local OwnFork own_fork;

// The outermost first; unlock_everything() goes the other way.
void lock_everything() {
    fork_handlers_lock.lock();
    lock_snapshot_for_fork();
    lock_startup_for_fork();
    profile::lock_for_fork();
    guard::lock_for_fork();
    pools::lock_for_fork();
    maintenance::lock_for_fork();
    thread_registry::lock_all();
    fallback::lock_for_fork();
    for (ClassIndex c = 1; c < size_classes.count; ++c) {
        depots[c].lock().lock();
    }
    region.lock().lock();
    thread_end::lock_for_fork();
}

enum class Side : uint8_t { parent, child };

void unlock_everything(Side side) {
    thread_end::unlock_after_fork();
    region.lock().unlock();
    for (ClassIndex c = size_classes.count - 1; c > kNoClass; --c) {
        depots[c].lock().unlock();
    }
    side == Side::child ? fallback::after_fork_child() : fallback::after_fork_parent();
    thread_registry::unlock_all();
    maintenance::unlock_after_fork();
    pools::unlock_after_fork();
    guard::unlock_after_fork();
    profile::unlock_after_fork();
    unlock_startup_after_fork();
    unlock_snapshot_after_fork();
    fork_handlers_lock.unlock();
}

}  // namespace

// Signals first: a handler that forks while this thread is inside fork() would wait for this thread's locks.
// Then libc's list of open files: a thread that holds it may wait for another that needs malloc, so it may
// not be waited for with malloc locked, and fork() is about to do that.
void before_fork() {
    const uint64_t signals = os::block_signals();
    // Such a handler may also have interrupted this thread inside malloc, and a mistake found under locks
    // leaves them locked. Then none can be taken. In a process with one thread none is needed: parent and
    // child both return into malloc. With more, the child may only execute or end.
    const bool may_lock = critical_depth == 0 && !locks_are_lost();
    const bool lock_files = may_lock && os::has_threads();
    if (lock_files) {
        os::lock_open_files();
    }
    if (may_lock) {
        ensure_started();
        thread_end::prepare();
        if (background_thread::wanted()) {
            background_thread::before_fork();
        }
        fallback::prepare_for_fork();
        lock_everything();
    }
    own_fork = {.signals = signals, .locked = may_lock, .locked_files = lock_files};
}

void after_fork_parent() {
    const OwnFork fork = own_fork;
    if (fork.locked) {
        unlock_everything(Side::parent);
    }
    if (fork.locked_files) {
        os::unlock_open_files();
    }
    os::restore_signals(fork.signals);
}

// The child's only thread is the one that took the locks: unlocking is right here too. Then what the other
// threads held is made everybody's. libc has made its list free already where it knew of threads.
void after_fork_child() {
    const OwnFork fork = own_fork;
    if (fork.locked_files) {
        os::reset_open_files();
    }
    if (fork.locked) {
        profile::forget_threads_in_child();
        guard::forget_threads_in_child();
        unlock_everything(Side::child);
        thread_registry::adopt_all_in_child();
        profiling::forget_in_child();
        live::restart_in_child();
    }
    os::restore_signals(fork.signals);
}

}  // namespace hotlane
