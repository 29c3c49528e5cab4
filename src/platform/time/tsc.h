// SPDX-License-Identifier: MIT
//
// The cheapest precise clock: the processor's time-stamp counter, if its rate never changes. Unit tests link
// tests/unit/fake_os.cpp instead, where they control time.
#pragma once

#include "base/base.h"

namespace hotlane::ticks {

/// Measures the counter's rate, which takes 50 microseconds the first time. Must be called before the first
/// now(). If there is no such counter, now() reads CLOCK_MONOTONIC.
void set_up();
/// The current count. Only differences have a meaning. Takes 10 ns; reading CLOCK_MONOTONIC takes 30 ns.
uint64_t now();
/// Converts a difference to nanoseconds. A negative one, possible between two processors, gives 0.
uint64_t to_ns(uint64_t difference);

}  // namespace hotlane::ticks
