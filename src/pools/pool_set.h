// SPDX-License-Identifier: MIT
//
// Sets of pools: what the inlined functions of hotlane/pool_set.h leave to the library.
#pragma once

#include "hotlane/pool_set.h"
#include "stats/pool_registry.h"

namespace hotlane::pools {

// See the functions of the same names in hotlane/pool_set.h.
hotlane_pool_set* create_set(const hotlane_pool_set_settings* settings, size_t size);
void destroy_set(hotlane_pool_set* set);
void adopt_set(hotlane_pool_set& set);
void* get_from_set(hotlane_pool_set& set, size_t size);
void put_into_set(hotlane_pool_set& set, void* p);

/// A set with the library's fields. Invariant: bytes <= memory_limit.
struct Set : hotlane_pool_set {
    size_t memory_limit;    // most bytes of all objects
    size_t bytes;           // of all objects now
    size_t reserved_bytes;  // of addresses of the objects
    bool reserves;          // a class grows, so the objects lie apart
};

/// Whether a class may grow by `bytes`; counts them. And the opposite.
[[nodiscard]] bool set_may_grow(hotlane_pool_set& set, size_t bytes);
void set_shrank(hotlane_pool_set& set, size_t bytes);

/// A request that `pool` of the set cannot serve: by the next larger class that can, or by the allocator.
void* get_from_larger(hotlane_pool_set& set, Pool& pool);
/// The put of an object that is not of `pool`, but of another class, or of the allocator.
void put_into_other(hotlane_pool_set& set, Pool& pool, void* p);

}  // namespace hotlane::pools
