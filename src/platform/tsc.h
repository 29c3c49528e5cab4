// SPDX-License-Identifier: MIT
//
// The cheapest clock that is precise: the processor's time-stamp counter, where its pace never changes.
// Knows nothing of what is timed. Linked away by tests/unit/fake_os.cpp, which moves time at will.
// Used by the profiler for the ages of objects.
#pragma once

#include "base/base.h"

namespace hotlane::ticks {

/// Finds the counter's pace, which takes 50 microseconds the first time; until then, and where there is no
/// such counter, now() reads CLOCK_MONOTONIC. Before the first of now().
void set_up();
/// Only differences mean something. 10 ns, where the clock takes 30.
uint64_t now();
/// A difference in nanoseconds; 0 when it is negative, as between two processors it may be.
uint64_t to_ns(uint64_t difference);

}  // namespace hotlane::ticks
