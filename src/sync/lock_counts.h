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
/// The locks that the thread holds protect the cache line at `p`, which it uses now and which another processor may have
/// written before. While a lock is held, a line counts once.
void note_line(const void* p);
/// The same for the consecutive lines of `bytes` bytes: the processor fetches them ahead. They count each time.
void note_copy(size_t bytes);
/// The line at `p` is fetched ahead, many at once, for the next lock that the thread takes: it does not count there. For
/// locks that are held now it counts like a copied line.
void note_prefetch(const void* p);
/// A word that all threads share was changed by an atomic operation, without a lock.
void note_exchange();

#else

inline void begin_hold(const void*, int, bool) {}
inline void end_hold(const void*) {}
inline void note_line(const void*) {}
inline void note_copy(size_t) {}
inline void note_prefetch(const void*) {}
inline void note_exchange() {}

#endif

}  // namespace hotlane::lock_counts
