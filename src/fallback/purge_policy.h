// SPDX-License-Identifier: MIT
//
// When the fallback's free memory goes back to the system: numbers in, a decision out.
// Must not know jemalloc, clocks or threads.
// Called by fallback.cpp.
#pragma once

#include "base/base.h"

namespace hotlane::fallback {

/// Looking more often than this costs more than it can give back.
inline constexpr uint64_t kPurgeTickNs = 500'000'000;
/// Free memory under load is in use again soon; it goes back at this pace all the same, or it would never.
/// (Twenty live blocks of 5 to 25 MiB: forced every second it cost 7 % of the operations, every 100 ms 71 %.)
inline constexpr uint64_t kForcedPurgeNs = 4'000'000'000;

enum class PurgeDecision : uint8_t { wait, purge };

/// `moved`: a block came or went since the last tick. `dirty_since_ns`: when the first one did since the last
/// purge.
constexpr PurgeDecision decide_purge(uint64_t now_ns, uint64_t dirty_since_ns, bool moved) {
    // Idle for a whole tick: what is free now will stay free.
    if (!moved) {
        return PurgeDecision::purge;
    }
    return now_ns - dirty_since_ns >= kForcedPurgeNs ? PurgeDecision::purge : PurgeDecision::wait;
}

}  // namespace hotlane::fallback
