// SPDX-License-Identifier: MIT
//
// The block map: in which OS pages live blocks of the fallback begin, and where in the page. It never reads
// from the blocks.
//
// It has one byte for each OS page. The bytes lie in leaves, one for each GiB of address space, which are
// mapped when they are first needed and never unmapped. The values of a byte:
//
//     0            no block ever began here
//     1 … 64       this many small blocks begin here (they share the page; none is smaller than 64 bytes)
//     65 + o       no block begins here; the last one began 64·o bytes into the page (o = 62: or at 63)
//     128 + o      one block begins here, alone, 64·o bytes into the page
//     192 + o      the same, and the profiler tracks the block
#pragma once

#include "base/base.h"

namespace hotlane::block_map {

/// How many low bits of an address select the place inside a leaf.
inline constexpr unsigned kLeafBits = 30;

/// The smallest block that may be entered, so that a page's count of shared blocks fits in its byte.
inline constexpr size_t kSmallestBlock = 64;

/// Enters a block that begins alone in its OS page, at a multiple of 64. Returns false if there is no memory
/// for a leaf.
[[nodiscard]] bool insert_exclusive(const void* p);
/// Enters a block that may share its OS page. Returns false if there is no memory for a leaf.
[[nodiscard]] bool enter_shared(const void* p);
/// Removes a block. Returns false if it was not there. If two threads erase one block, only one gets true.
[[nodiscard]] bool erase(const void* p);
bool contains(const void* p);
/// Whether the last block that began in this OS page was erased and began at `p`, within 64 bytes.
bool released(const void* p);

/// Marks, unmarks and tests blocks that were entered as exclusive. A newly entered block is unmarked.
void mark_sampled(const void* p);
void unmark_sampled(const void* p);
bool sampled(const void* p);

}  // namespace hotlane::block_map
