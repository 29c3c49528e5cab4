// SPDX-License-Identifier: MIT
//
// Calls a function of the program when the hit rate of an interval was too low: hotlane_alarm_set().
#pragma once

#include "hotlane/hotlane.h"

namespace hotlane::hit_rate_alarm {

/// Implements hotlane_alarm_set(), except that somebody has to call check() after each maintenance pass.
void set(double below, uint64_t least_allocations, hotlane_alarm call, void* context);
/// Checks the interval since the last check. Called without any lock, as the function of the program may
/// allocate. Does nothing while another thread takes a snapshot.
void check();

}  // namespace hotlane::hit_rate_alarm
