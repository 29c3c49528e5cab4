// SPDX-License-Identifier: MIT
//
// The fork handlers: they take every lock in rank order, and in the child they recover the memory of the
// threads that the child does not have.
#pragma once

#include "sync/lock.h"

namespace hotlane {

/// Held while a fork handler is registered with libc, which allocates under a lock of its own to do that.
/// fork() takes libc's lock again after each handler, including these. So no thread may hold libc's lock
/// while malloc is locked.
extern constinit Lock fork_handlers_lock;

void before_fork();
void after_fork_parent();
void after_fork_child();

}  // namespace hotlane
