// SPDX-License-Identifier: MIT
//
// Bounded pools: what the inlined functions of hotlane/hotlane.h leave to the library.
#pragma once

#include "stats/pool_registry.h"

namespace hotlane::pools {

// See the functions of the same names in hotlane/hotlane.h.
Pool* create(const char* name, size_t size, size_t capacity, unsigned flags);
void destroy(Pool* pool);
void adopt(Pool& pool);
void reset(Pool& pool);
void* get_slow(Pool& pool);
void put_slow(Pool& pool, void* p);
bool may(const Pool& pool, const void* p);

}  // namespace hotlane::pools
