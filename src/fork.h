// SPDX-License-Identifier: MIT
//
// fork(): every lock of every tier, in rank order; what the child does with the threads it lost.
// Must not know who forks.
// Registered by process.
#pragma once

namespace hotlane {

void before_fork();
void after_fork_parent();
void after_fork_child();

}  // namespace hotlane
