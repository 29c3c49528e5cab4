// SPDX-License-Identifier: MIT
//
// Slow-path arithmetic on a lane's countdown.
#include "thread_cache/countdown.h"

#include <algorithm>

namespace hotlane {

void Countdown::start(uint64_t& left, uint64_t hits_wanted, uint64_t hits_until_sample) {
    store_relaxed(hits_before, hits(left));
    store_relaxed(started_from, static_cast<uint16_t>(std::min(hits_wanted, hits_until_sample)));
    beyond_sample = static_cast<uint16_t>(hits_wanted - started_from);
    store_relaxed(left, uint64_t{started_from});
}

void Countdown::limit(uint64_t& left, uint64_t hits_until_sample) {
    const uint64_t now = load_relaxed(left);
    if (beyond_sample != 0 || now > hits_until_sample) {
        start(left, now + beyond_sample, hits_until_sample);
    }
}

}  // namespace hotlane
