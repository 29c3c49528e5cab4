// SPDX-License-Identifier: MIT
//
// fork(): every lock of every tier, in rank order; what the child does with the threads it lost.
// Must not know who forks.
// Registered by process.
#include "fork.h"

#include "base/thread_end.h"
#include "cache/threads.h"
#include "cache/upkeep.h"
#include "depot/depot.h"
#include "fallback/fallback.h"
#include "observe/profile.h"
#include "pools/registry.h"
#include "startup.h"

namespace hotlane {

void before_fork() {
    ensure_started();
    thread_end::prepare();
    lock_startup_for_fork();
    profile::lock_for_fork();
    pools::lock_for_fork();
    upkeep::lock_for_fork();
    threads::lock_all();
    fallback::before_fork();
    for (ClassIndex c = 1; c < size_classes.count; ++c) {
        depots[c].lock().lock();
    }
    region.lock().lock();
    thread_end::lock_for_fork();
}

namespace {

void unlock_after_fork() {
    thread_end::unlock_after_fork();
    region.lock().unlock();
    for (ClassIndex c = size_classes.count - 1; c > kNoClass; --c) {
        depots[c].lock().unlock();
    }
}

void unlock_rest_after_fork() {
    threads::unlock_all();
    upkeep::unlock_after_fork();
    pools::unlock_after_fork();
    profile::unlock_after_fork();
    unlock_startup_after_fork();
}

}  // namespace

void after_fork_parent() {
    unlock_after_fork();
    fallback::after_fork_parent();
    unlock_rest_after_fork();
}

// The child's only thread is the one that took the locks: unlocking is right here too. Then what the other
// threads held is made everybody's.
void after_fork_child() {
    unlock_after_fork();
    fallback::after_fork_child();
    profile::forget_threads_in_child();
    unlock_rest_after_fork();
    threads::adopt_all_in_child();
}

}  // namespace hotlane