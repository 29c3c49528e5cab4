// SPDX-License-Identifier: MIT
//
// Blocks that are whole pages of the region, without jemalloc. Nearly all requests above 64 KiB are served here: it takes
// less time, and jemalloc rounds sizes up by an eighth on average. A process whose small requests are served by size classes
// then never starts jemalloc, which takes a hundred page faults and 0.7 MiB.
#pragma once

#include "base/base.h"

namespace hotlane::page_blocks {

/// A process with a limit on its memory gets only so many, of so many bytes at most: the pages of a freed block would keep
/// their addresses.
inline constexpr size_t kMostWithLimit = 16;
inline constexpr size_t kLargestWithLimit = 128 * KiB;

/// From now on, there are none.
void turn_off();

/// Takes pages for a block of more than kLargestSmall bytes. Null if there are none, or if the alignment is larger than
/// Region::kMostBlockAlignment. Thread-safe.
void* take(size_t bytes, size_t alignment, bool zeroed);
/// Changes the size of a live block in place. Returns false if the pages behind it are not free.
bool resize(void* p, size_t bytes);
/// Gives the pages of such a block back. Returns false if it is not one of these. The caller has made sure that it is
/// freed only once.
bool put_back(void* p);
/// How many bytes of such a live block may be written; 0 if `p`, a live block of the fallback, is not one of these.
size_t usable_size(const void* p);
/// In those that are live.
size_t live_bytes();

}  // namespace hotlane::page_blocks
