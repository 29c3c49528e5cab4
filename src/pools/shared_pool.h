// SPDX-License-Identifier: MIT
//
// Gets and puts of pools that any number of threads use.
#pragma once

#include "stats/pool_registry.h"

namespace hotlane::pools {

/// An object of a shared pool, or null if it is exhausted. O(1) without contention. Takes a lock only when the
/// pool grows, gives objects back, or may not grow further because of a limit.
void* get_shared(Pool& pool);
/// Puts back an object that lies in the pool's range. Returns why not, or null.
const char* put_shared(Pool& pool, void* p);
/// The same test without the put.
const char* why_not_shared(const Pool& pool, const void* p);

}  // namespace hotlane::pools
