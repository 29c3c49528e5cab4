// SPDX-License-Identifier: MIT
//
// Where the private jemalloc's memory comes from, and how it goes back.
// Must not know blocks, nor when anything is asked for.
// Called by fallback.cpp once at jemalloc's start; from then on by jemalloc.
#pragma once

#include "base/base.h"

#include <atomic>

namespace hotlane::fallback {

/// A table of functions as jemalloc's control "arena.<i>.extent_hooks" takes them.
struct ExtentHooks;

/// They do what jemalloc's own do: map, keep, split and merge at will, purge. What differs is what jemalloc
/// does about a large calloc from memory that was used: with its own hooks it purges the pages and lets them
/// fault in again one by one, with any others it clears them, in a fraction of the time. Memory fresh from
/// the kernel is known as zero in either case.
extern ExtentHooks extent_hooks;

/// How much has to be mapped before 2-MiB pages are asked for.
extern std::atomic<size_t> huge_from_bytes;

/// Whether the process has a limit of addresses and the fallback has mapped a quarter of it or more. What is
/// free must not keep its addresses then: the stacks of threads and libraries need them.
bool addresses_are_scarce();
/// At jemalloc's start. A limit that is set later is asked for when it first refuses something.
void ask_for_limit();

}  // namespace hotlane::fallback
