// SPDX-License-Identifier: MIT
//
// Counts how often each lock is taken and for how long it is held, for bench/scaling. Only in a build with the option
// lock_counts; in every other build these functions are empty.
#pragma once

#include "base/base.h"

namespace hotlane::lock_counts {

/// The kind of a lock that is not a Lock: a mutex of the private jemalloc.
inline constexpr int kOfJemalloc = -1;

#if HOTLANE_LOCK_COUNTS

/// Called right after `lock` was taken, and right before it is released. `rank` is its LockRank, or kOfJemalloc.
void begin_hold(const void* lock, int rank, bool waited);
void end_hold(const void* lock);
/// The locks that the thread holds protect `lines` cache lines that it has just used, and that another processor
/// may have written before.
void note_lines(size_t lines);
/// The same for the consecutive lines of `bytes` bytes: the processor fetches them ahead.
void note_copy(size_t bytes);
/// A word that all threads share was changed by an atomic operation, without a lock.
void note_exchange();

#else

inline void begin_hold(const void*, int, bool) {}
inline void end_hold(const void*) {}
inline void note_lines(size_t) {}
inline void note_copy(size_t) {}
inline void note_exchange() {}

#endif

}  // namespace hotlane::lock_counts
