// SPDX-License-Identifier: MIT
//
// Pools that grow: their objects lie in chunks of one reserved range. Chunks get memory when the pool is
// exhausted, and give it back when they were not needed for a while.
//
// In a pool of one thread, each chunk begins at a page, and any free chunk can be given back. In a shared pool,
// objects are found by their numbers and so lie without gaps, also across chunks; chunks are given back from the
// last one on. A shared pool changes under the registry's lock. Its chunks are given back safely, because only
// the thread that holds an object touches its memory: the chunk's objects have left the stack before. The nodes of the
// stack, which other threads may still read, never go away.
#pragma once

#include "pools/pool_layout.h"

namespace hotlane {

struct PoolChunks {
    static constexpr uint32_t kMost = 64;

    /// Objects number `first` to first+objects-1 of the slots' order lie at begin + offset.
    struct Chunk {
        size_t offset = 0;  // from the pool's begin, bytes
        size_t objects = 0;
        bool present = false;
    };
    uint32_t count = 0;
    Chunk all[kMost];
};

namespace pools {

size_t bytes_of_chunks();
/// Computes the chunks that a pool of this plan can have, and with them its object_bytes and committed_bytes.
/// `out` may be null.
void plan_chunks(Plan& plan, PoolChunks* out);
PoolChunks* new_chunks(const Plan& plan, void* memory);
/// Fills the slots with the objects of all chunks that are present.
void fill_from_chunks(Pool& pool);

/// Adds the next chunk to a pool that is exhausted. Returns false if there is no further one, the system
/// refuses, or a limit is reached. Any thread may call it for a shared pool; true then only means that another
/// get may succeed.
bool grow(Pool& pool);
/// Gives chunks back that are free as a whole, while `wanted` objects remain. Returns how many bytes. Any thread
/// may call it for a shared pool.
size_t shrink_to(Pool& pool, size_t wanted);
/// Whether an object of the pool begins at `p`, which lies in its range.
bool is_start_in_chunk(const Pool& pool, const void* p);

}  // namespace pools

}  // namespace hotlane
