// SPDX-License-Identifier: MIT
//
// The fork handlers: they take every lock in rank order, and in the child they recover the memory of the
// threads that the child does not have.
#include "lifecycle/fork.h"

#include "depot/depot.h"
#include "diagnostics/misuse.h"
#include "fallback/fallback.h"
#include "guards/guard.h"
#include "lifecycle/startup.h"
#include "live/publication.h"
#include "maintenance/background_thread.h"
#include "maintenance/maintenance.h"
#include "page_heap/page_reserve.h"
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

/// The state of the calling thread's fork between the handlers.
struct OwnFork {
    uint64_t signals = 0;       // the signal mask to restore
    bool locked = false;        // every lock is held
    bool locked_files = false;  // libc's list of open files is held
};
[[gnu::tls_model("initial-exec")]] constinit thread_local OwnFork own_fork;

// Takes the outermost lock first. unlock_everything() releases them in the opposite order.
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
    Depot::lock_all();
    page_reserves.lock_all();
    region.lock().lock();
    magazines::lock_all();
    thread_end::lock_for_fork();
}

enum class Side : uint8_t { parent, child };

void unlock_everything(Side side) {
    thread_end::unlock_after_fork();
    magazines::unlock_all();
    region.lock().unlock();
    page_reserves.unlock_all();
    Depot::unlock_all();
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

// First blocks signals: a signal handler that forks while this thread is inside fork() would wait for this
// thread's locks. Then locks libc's list of open files. fork() is about to take that lock; but a thread that
// holds it may wait for another thread that needs malloc, so the list must be locked before malloc is.
void before_fork() {
    const uint64_t signals = os::block_signals();
    // A signal handler that forks may have interrupted this thread inside malloc, and a mistake of the
    // program that is found under locks leaves them locked. In both cases no lock can be taken. A process
    // with one thread needs none, because parent and child both return into malloc. With more threads, the
    // child may only call exec or _exit.
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

// The child's only thread is the one that took the locks, so it may unlock them. Then the objects in the
// caches of the other threads go to the depots. libc's list of open files is reset first; libc has done that
// already if it knew of other threads.
void after_fork_child() {
    const OwnFork fork = own_fork;
    if (fork.locked_files) {
        os::reset_open_files();
    }
    live::forget_in_child();
    if (fork.locked) {
        profile::forget_threads_in_child();
        guard::forget_threads_in_child();
        unlock_everything(Side::child);
        thread_registry::adopt_all_in_child();
        profiling::forget_in_child();
        periodic_report::restart_in_child();
    }
    os::restore_signals(fork.signals);
}

}  // namespace hotlane
