// SPDX-License-Identifier: MIT
//
// How long objects of bounded pools were handed out: a histogram of a sample of them.
#pragma once

#include "stats/stats.h"

namespace hotlane {

/// Four buckets for each doubling of the time, so a percentile is at most an eighth off. The count of long
/// holds and the longest are exact. Any thread may add and read.
class HoldTimes {
  public:
    void add(uint64_t ns);
    /// Sets the members of `stats` that begin with "hold".
    void copy_to(PoolStats& stats) const;

  private:
    /// Times from 2^kBits ns (about a minute) on are in the last bucket.
    static constexpr uint32_t kBits = 36;
    static constexpr uint32_t kBuckets = kBits * 4 - 3;

    static uint32_t bucket_of(uint64_t ns);
    static uint64_t middle_of(uint32_t bucket);
    uint64_t percentile(uint64_t percent, uint64_t samples, uint64_t longest) const;

    uint64_t counts_[kBuckets] = {};
    uint64_t long_holds_ = 0;
    uint64_t longest_ns_ = 0;
};

}  // namespace hotlane
