// SPDX-License-Identifier: MIT
//
// Counts how often each lock is taken and for how long it is held, for bench/scaling. Only in a build with the option
// lock_counts; in every other build these functions are empty.
#pragma once

#include "base/base.h"

namespace hotlane::lock_counts {

/// The kinds of what is not a Lock: a mutex of the private jemalloc, and a word that all threads change without a lock.
inline constexpr int kOfJemalloc = -1;
inline constexpr int kSharedWord = -2;

#if HOTLANE_LOCK_COUNTS

/// The counts are to be those of many processors, also where few count.
inline constexpr bool kIsOn = true;

/// Called right after `lock` was taken, and right before it is released. `rank` is its LockRank, or kOfJemalloc.
void begin_hold(const void* lock, int rank, bool waited);
void end_hold(const void* lock);
/// The locks that the thread holds protect the cache line at `p`, which it uses now and which another processor may have
/// written before. While a lock is held, a line counts once.
void note_line(const void* p);
/// The same for the consecutive lines of `bytes` bytes: the processor fetches them ahead. They count each time.
void note_copy(size_t bytes);
/// The line at `p` is fetched ahead, many at once, for the next lock that the thread takes: it does not count there. For
/// locks that are held now it counts like a copied line, and it counts among all lines that were fetched ahead.
void note_prefetch(const void* p);
/// The word at `p` was changed by an atomic operation, without a lock. It counts as a lock that is held for no time.
void note_exchange(const void* p);

#else

inline constexpr bool kIsOn = false;

inline void begin_hold(const void*, int, bool) {}
inline void end_hold(const void*) {}
inline void note_line(const void*) {}
inline void note_copy(size_t) {}
inline void note_prefetch(const void*) {}
inline void note_exchange(const void*) {}

#endif

}  // namespace hotlane::lock_counts
