// SPDX-License-Identifier: MIT
//
// When the live bytes of all samples together were highest.
//
// Nothing is copied at that moment. It gets a number (epoch()), and each site copies its live counts when they
// first change afterwards (Site::keep_peak()). The peak is therefore exact and costs a few instructions for
// each sample, however many sites there are.
#pragma once

#include "base/atomic_access.h"
#include "base/base.h"

#include <atomic>

namespace hotlane::high_water {

/// The state. Any thread may change it; each number is exact by itself.
struct Mark {
    std::atomic<uint64_t> live{0};      // bytes, times the weights of the samples
    std::atomic<uint64_t> highest{0};   // of `live`
    std::atomic<bool> rising{false};    // `highest` was reached after the last epoch began
    std::atomic<uint64_t> epoch{1};     // the number of the peak
    std::atomic<uint64_t> at_ticks{0};  // when the epoch began
    std::atomic<uint64_t> recent{0};    // highest value of `live` since take_recent()
};
inline constinit Mark mark;

/// Call it after a sample of `bytes` was added to its site.
inline void add(uint64_t bytes) {
    const uint64_t live = mark.live.fetch_add(bytes, std::memory_order_relaxed) + bytes;
    raise_relaxed(mark.recent, live);
    if (live > mark.highest.load(std::memory_order_relaxed)) {
        raise_relaxed(mark.highest, live);
        if (!mark.rising.load(std::memory_order_relaxed)) {
            mark.rising.store(true, std::memory_order_relaxed);
        }
    }
}

/// Call it before a sample ends, and before the peak is read. If the live bytes are at their highest, a new
/// epoch begins.
inline void settle(uint64_t now_ticks) {
    if (mark.rising.load(std::memory_order_relaxed) && mark.rising.exchange(false)) {
        mark.at_ticks.store(now_ticks, std::memory_order_relaxed);
        mark.epoch.fetch_add(1);
    }
}

/// Call it after a sample was taken from its site.
inline void take(uint64_t bytes) { mark.live.fetch_sub(bytes, std::memory_order_relaxed); }

inline uint64_t epoch() { return mark.epoch.load(std::memory_order_relaxed); }
inline uint64_t at_ticks() { return mark.at_ticks.load(std::memory_order_relaxed); }

inline uint64_t live() { return mark.live.load(std::memory_order_relaxed); }
/// The highest live bytes since the last call.
inline uint64_t take_recent() {
    return mark.recent.exchange(mark.live.load(std::memory_order_relaxed), std::memory_order_relaxed);
}

}  // namespace hotlane::high_water
