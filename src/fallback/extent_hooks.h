// SPDX-License-Identifier: MIT
//
// The extent hooks of the private jemalloc: how it gets memory from the system and gives it back.
#pragma once

#include "base/base.h"

#include <atomic>

namespace hotlane::fallback {

/// A table of functions in the form of jemalloc's control "arena.<i>.extent_hooks".
struct ExtentHooks;

/// The hooks do the same as jemalloc's own: they map memory, keep it mapped, allow every split and merge, and
/// purge. Only a large calloc from used memory differs. With its own hooks, jemalloc purges the pages and
/// lets them fault in again one by one. With other hooks it clears them, which takes a fraction of the time.
/// In both cases it knows that fresh memory from the kernel is zero.
extern ExtentHooks extent_hooks;

/// How many bytes must be mapped before 2-MiB pages are asked for.
extern std::atomic<size_t> huge_from_bytes;

/// Whether the process has a limit (os::memory_limit()) and the fallback has mapped a quarter of it or more.
/// Then free memory must not keep its addresses, because stacks of threads and libraries need them.
bool addresses_are_scarce();
/// Reads the limit. Called at jemalloc's start. A later limit is read when it first refuses memory.
void ask_for_limit();

}  // namespace hotlane::fallback
