// SPDX-License-Identifier: MIT
//
// Measures for how long objects of a pool are handed out, for a sample of the gets. The inlined get and put
// have no instruction for it:
//
//   get: the countdown that counts the gets has reached 0, so the slow path serves the request
//   put: the sampled object lies outside the addresses that put accepts, so the slow path takes it back
//
// The addresses are [begin, begin + extent). So the sampled object has to be the last one: it changes places
// with the object that was next, and the extent ends before it until it is put back. One object of a pool is
// timed at a time. In a pool that clears objects on put, the extent is always 0, and any object can be timed.
#pragma once

#include "stats/pool_registry.h"

namespace hotlane::hold_timer {

/// Called once, before the pool is used.
void set_up(Pool& pool);
/// Called when a get finds the countdown at 0, before the next object is popped: maybe begins to time that
/// object. Returns the next countdown.
uint64_t look(Pool& pool);
/// Called when the object that is timed was put back into the slot at the top: counts its time.
void finish_with_put(Pool& pool);
/// Forgets the object that is timed. Called before objects of the pool are moved, or taken back all at once.
void cancel(Pool& pool);

}  // namespace hotlane::hold_timer
