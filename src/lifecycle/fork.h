// SPDX-License-Identifier: MIT
//
// fork(): every lock of every tier, in rank order; what the child does with the threads it lost.
// Must not know who forks.
// Registered by process.
#pragma once

#include "sync/lock.h"

namespace hotlane {

/// Held while a fork handler is registered with libc, which allocates for it under a lock of its own. fork()
/// takes that lock again after each handler, ours included, so nobody may be in there while malloc is locked.
extern constinit Lock fork_handlers_lock;

void before_fork();
void after_fork_parent();
void after_fork_child();

}  // namespace hotlane
