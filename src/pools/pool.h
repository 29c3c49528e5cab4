// SPDX-License-Identifier: MIT
//
// Bounded pools: what the inlined functions of hotlane/pool.h leave to the library.
#pragma once

#include "stats/pool_registry.h"

namespace hotlane::pools {

// See the functions of the same names in hotlane/pool.h.
Pool* create(const hotlane_pool_settings& settings);
void destroy(Pool* pool);
void adopt(Pool& pool);
void reset(Pool& pool);
void own_each(Pool& pool, size_t bytes);
void own(Pool& pool, ptrdiff_t bytes);
size_t trim(Pool& pool);
void* get_slow(Pool& pool);
void put_slow(Pool& pool, void* p);
bool may(const Pool& pool, const void* p);

/// An object of the pool itself, or null if it is exhausted and cannot grow. The caller may use the pool.
void* get_own(Pool& pool);
/// A request that the pool cannot serve, and the put of an object that is not the pool's: by the allocator, if
/// the flags allow it.
void* get_from_allocator(Pool& pool);
void put_to_allocator(Pool& pool, void* p);
/// Puts an object in the pool's range.
void put_own(Pool& pool, void* p);

/// How many objects are handed out, those of the allocator included.
uint64_t outstanding_in(const Pool& pool);
/// Reports on stderr that a pool or a set was destroyed while objects were handed out.
void report_outstanding(const char* what, const char* name, uint64_t outstanding);

}  // namespace hotlane::pools
