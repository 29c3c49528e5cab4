// SPDX-License-Identifier: MIT
//
// Warm-up: puts objects, whose pages are already touched, into a thread's lanes and the depots in advance.
#pragma once

#include "thread_cache/thread_block.h"

namespace hotlane {

/// Makes `count` objects of class `c` ready: as many as fit in the calling thread's lane, the rest in the
/// depot. The statistics do not count them as requests. Returns how many objects are ready.
size_t warm_up_this_thread(ClassIndex c, size_t count);

/// Does the same for every thread that gets a cache from now on, with the class that then serves requests of the size
/// of `c`. Counts for one class add up. Returns false if 16 classes have such counts already.
bool warm_up_new_threads(ClassIndex c, uint32_t count);
/// Cancels all calls of warm_up_new_threads().
void forget_warm_ups();
/// Does for a new thread what warm_up_new_threads() asked for. The caller holds the block's lock.
void warm_up_new_thread(ThreadBlock& block);

}  // namespace hotlane
