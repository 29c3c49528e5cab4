// SPDX-License-Identifier: MIT
//
// The ledger: which OS pages begin a live block of the fallback, and where in the page.
// Must not know jemalloc, nor read a block.
// Called by fallback.cpp.
//
// A byte per OS page, in leaves of 1 GiB of address space that are mapped when first needed and never
// unmapped:
//
//     0            no block ever began here
//     1 … 64       that many small blocks begin here (they share the page: none is smaller than 64 bytes)
//     65 + o       none begins here; the last that did began 64·o bytes into the page (o = 62: or at 63)
//     128 + o      one block begins here, alone, 64·o bytes into the page
//     192 + o      the same, and the profiler follows it
#pragma once

#include "base/base.h"

namespace hotlane::block_map {

/// So many bits of an address index inside a leaf.
inline constexpr unsigned kLeafBits = 30;

/// No block of the ledger is smaller, so that a page's count of shared blocks fits its byte.
inline constexpr size_t kSmallestBlock = 64;

/// Enters a block that begins alone in its OS page, at a multiple of 64. False: no memory for a leaf.
[[nodiscard]] bool insert_exclusive(const void* p);
/// Enters a block that may share its OS page. False: no memory for a leaf.
[[nodiscard]] bool enter_shared(const void* p);
/// Strikes a block out. False: it was not there. Of two threads that erase out one block, one gets true.
[[nodiscard]] bool erase(const void* p);
bool contains(const void* p);
/// Whether the last block that began in this OS page was struck out and began at `p`, give or take 64 bytes.
bool released(const void* p);

/// For blocks entered alone: mark, unmark, and ask. A block entered anew is unmarked.
void mark_sampled(const void* p);
void unmark_sampled(const void* p);
bool sampled(const void* p);

}  // namespace hotlane::block_map
