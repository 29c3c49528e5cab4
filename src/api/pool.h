// SPDX-License-Identifier: MIT
//
// Bounded pools: what the inlined functions of hotlane/pool.h leave to the library.
#pragma once

#include "stats/pool_registry.h"

namespace hotlane::pools {

// See the functions of the same names in hotlane/pool.h.
Pool* create(const char* name, size_t size, size_t capacity, unsigned flags);
void destroy(Pool* pool);
void adopt(Pool& pool);
void reset(Pool& pool);
void own_each(Pool& pool, size_t bytes);
void own(Pool& pool, ptrdiff_t bytes);
void* get_slow(Pool& pool);
void put_slow(Pool& pool, void* p);
bool may(const Pool& pool, const void* p);

/// Where the parts of a pool lie: its header with the slots, and its objects.
struct Plan {
    size_t object_size = 0;
    size_t capacity = 0;
    unsigned flags = 0;
    size_t header_bytes = 0;  // a multiple of 64
    size_t object_bytes = 0;  // the same
};

/// Plans a pool. Returns false if a part of it would exceed the limit of an allocation.
bool plan(size_t size, size_t capacity, unsigned flags, Plan* out);
/// Makes a pool in memory of its own: `header` for header_bytes, `objects` for object_bytes, both at multiples
/// of 64. It is not in the registry yet.
Pool* lay_out(const Plan& plan, void* header, uintptr_t objects);

/// A request that the pool cannot serve, and the put of an object that is not the pool's: by the allocator, if
/// the flags allow it.
void* get_from_allocator(Pool& pool);
void put_to_allocator(Pool& pool, void* p);

/// How many objects are handed out, those of the allocator included.
uint64_t outstanding_in(const Pool& pool);
/// Reports on stderr that a pool or a set was destroyed while objects were handed out.
void report_outstanding(const char* what, const char* name, uint64_t outstanding);

}  // namespace hotlane::pools
