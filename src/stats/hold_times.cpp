// SPDX-License-Identifier: MIT
//
// The histogram of hold times.
#include "stats/hold_times.h"

#include "base/atomic_access.h"

#include <algorithm>
#include <bit>
#include <numeric>

namespace hotlane {

/// 0 to 3 ns have a bucket each. Above, the highest bit and the two bits behind it choose the bucket.
uint32_t HoldTimes::bucket_of(uint64_t ns) {
    if (ns < 4) {
        return static_cast<uint32_t>(ns);
    }
    const auto highest = static_cast<uint32_t>(std::bit_width(ns)) - 1;
    return std::min((highest - 1) * 4 + static_cast<uint32_t>(ns >> (highest - 2) & 3), kBuckets - 1);
}

uint64_t HoldTimes::middle_of(uint32_t bucket) {
    if (bucket < 8) {
        return bucket;
    }
    const uint32_t shift = bucket / 4 - 1;
    return (uint64_t{4 + bucket % 4} << shift) + (uint64_t{1} << shift) / 2;
}

void HoldTimes::add(uint64_t ns) {
    const auto increment = [](uint64_t& count) { __atomic_fetch_add(&count, 1, __ATOMIC_RELAXED); };
    increment(counts_[bucket_of(ns)]);
    if (ns > kLongHoldNs) {
        increment(long_holds_);
    }
    uint64_t longest = load_relaxed(longest_ns_);
    while (longest < ns && !__atomic_compare_exchange_n(&longest_ns_, &longest, ns, true, __ATOMIC_RELAXED,
                                                        __ATOMIC_RELAXED)) {
    }
}

/// The time that `percent` % of the samples do not exceed.
uint64_t HoldTimes::percentile(uint64_t percent, uint64_t samples, uint64_t longest) const {
    const uint64_t wanted = (samples * percent + 99) / 100;
    uint64_t seen = 0;
    for (uint32_t bucket = 0; bucket != kBuckets; ++bucket) {
        seen += load_relaxed(counts_[bucket]);
        if (seen >= wanted) {
            return std::min(middle_of(bucket), longest);
        }
    }
    return longest;
}

void HoldTimes::copy_to(PoolStats& stats) const {
    const uint64_t samples =
        std::accumulate(counts_, counts_ + kBuckets, uint64_t{0},
                        [](uint64_t sum, const uint64_t& count) { return sum + load_relaxed(count); });
    stats.hold_samples = samples;
    stats.long_holds = load_relaxed(long_holds_);
    stats.hold_max_ns = load_relaxed(longest_ns_);
    stats.hold_p50_ns = samples == 0 ? 0 : percentile(50, samples, stats.hold_max_ns);
    stats.hold_p99_ns = samples == 0 ? 0 : percentile(99, samples, stats.hold_max_ns);
}

}  // namespace hotlane
