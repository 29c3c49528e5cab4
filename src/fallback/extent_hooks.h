// SPDX-License-Identifier: MIT
//
// The extent hooks of the private jemalloc: how it gets memory from the system and gives it back.
#pragma once

#include "base/base.h"

#include <atomic>

namespace hotlane::fallback {

/// A table of functions in the form of jemalloc's control "arena.<i>.extent_hooks".
struct ExtentHooks;

/// The hooks take pages of the region and give them back. They extend a block in place if the pages behind it are free,
/// and allow every split and merge. A large calloc from used memory is cleared, because jemalloc's own way, which is to
/// purge the pages and let them fault in again one by one, takes several times as long.
///
/// Where the region has no pages, the hooks do the same as jemalloc's own: they map memory, keep it mapped and purge it.
/// They also do so in a process with a limit, for alignments above Region::kMostBlockAlignment, and once locks are lost.
extern const ExtentHooks extent_hooks;

/// How many bytes must be mapped outside the region before 2-MiB pages are asked for.
extern std::atomic<size_t> huge_from_bytes;

/// Whether the process is known to have a limit (os::memory_limit()).
bool has_memory_limit();
/// Whether it has one and the region and the fallback have a quarter of it or more.
/// Then free memory must not keep its addresses, because stacks of threads and libraries need them.
bool addresses_are_scarce();
/// Reads the limit at the first call. A later limit is read when it first refuses memory.
void ask_for_limit_once();

}  // namespace hotlane::fallback
