// SPDX-License-Identifier: MIT
//
// The first few blocks of a process, which are served without jemalloc. Its start takes a hundred page faults and 0.7 MiB.
// Most C++ programs need no other block than the one that libstdc++ allocates for exceptions (71 KiB), and many need only
// a few tables beside it.
#pragma once

#include "base/base.h"

namespace hotlane::first_blocks {

/// How many there are.
inline constexpr size_t kCount = 16;
/// The most bytes of each. A realloc of such a block always copies it, so blocks that grow must not be too large.
inline constexpr size_t kLargest = 4 * MiB;
/// The same in a process with a limit on its memory, whose large blocks are unmapped when they are freed.
inline constexpr size_t kLargestWithLimit = 128 * KiB;

/// Takes pages of the region for a block of more than kLargestSmall bytes. Null if all were taken before, if the block
/// is too large, if its alignment is larger than a page of the region, or if there is no memory. Thread-safe.
void* take(size_t bytes, size_t alignment, bool zeroed);
/// Gives the pages of such a block back. Returns false if it is not one of these. The caller has made sure that it is
/// freed only once.
bool put_back(void* p);
/// How many bytes of such a live block may be written; 0 if it is not one of these.
size_t usable_size(const void* p);
/// In those that are live.
size_t live_bytes();

}  // namespace hotlane::first_blocks
