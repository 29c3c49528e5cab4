// SPDX-License-Identifier: MIT
//
// What the program used in the course of time: at most a thousand points, however long it runs.
//
// Points are taken at an interval. When there is no room for another, each two neighbours become one, and the
// interval doubles.
#pragma once

#include "base/base.h"

namespace hotlane::timeline {

/// The counts are those since the process started; the bytes are the largest since the point before.
struct Point {
    uint64_t at_ns;  // since the first session began
    uint64_t live_bytes;
    uint64_t resident_bytes;  // 0: unknown
    uint64_t requests;
    uint64_t misses;
};

inline constexpr size_t kMostPoints = 1000;
inline constexpr uint64_t kFirstIntervalNs = 10'000'000;

/// Whether it is time for another point. Any thread. One load.
bool is_due(uint64_t at_ns);
/// Adds a point. Any thread; does nothing if another thread is adding one. `cost_ns` is the time that it took to
/// determine the point. The next one is not due before 400 times as much has passed: a process with thousands of
/// threads gets fewer points.
void add(const Point& point, uint64_t cost_ns);
/// Calls `visit` with each point, the oldest first. They are one less than kMostPoints at most, so that the
/// caller can add the present. No point is added meanwhile.
void for_each(void (*visit)(const Point& point, void* context), void* context);
/// In a forked child, which goes on with the points of its parent.
void forget_threads_in_child();

}  // namespace hotlane::timeline
