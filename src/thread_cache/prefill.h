// SPDX-License-Identifier: MIT
//
// Objects that are ready before the first request: touched, and in the cache.
// Knows nothing of options.
// Called by thread_cache for a new thread, by startup and by the C API.
#pragma once

#include "thread_cache/thread_block.h"

namespace hotlane {

/// Has `count` objects of class `c` ready: in the calling thread's LIFO as far as it goes, the rest in the
/// depot. Counts as no request. Returns how many.
size_t warm_up_this_thread(ClassIndex c, size_t count);

/// The same for every thread that gets a cache from now on. False: there are 16 of these already.
bool warm_up_new_threads(ClassIndex c, uint32_t count);
/// None of those any more.
void forget_warm_ups();
/// What those ask for. Under the block's lock.
void warm_up_new_thread(ThreadBlock& block);

}  // namespace hotlane
