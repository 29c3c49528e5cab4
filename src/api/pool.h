// SPDX-License-Identifier: MIT
//
// The bounded pool: what its inlined halves (hotlane/hotlane.h) leave to the library.
// Must not know what its objects are.
// Called by preload/api.cpp.
#pragma once

#include "stats/pool_registry.h"

namespace hotlane::pools {

// As the functions of the same names in hotlane/hotlane.h.
Pool* create(const char* name, size_t size, size_t capacity, unsigned flags);
void destroy(Pool* pool);
void adopt(Pool& pool);
void reset(Pool& pool);
void* get_slow(Pool& pool);
void put_slow(Pool& pool, void* p);
bool may(const Pool& pool, const void* p);

}  // namespace hotlane::pools
