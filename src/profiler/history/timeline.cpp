// SPDX-License-Identifier: MIT
//
// Keeps the points in an array that is halved in place.
#include "profiler/history/timeline.h"

#include "platform/os.h"

#include <algorithm>
#include <atomic>
#include <iterator>

namespace hotlane::timeline {

namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr uint64_t kPause = 400;

// Protected by `busy`.
constinit Point points[kMostPoints - 1] = {};
constinit size_t count = 0;
constinit uint64_t interval_ns = kFirstIntervalNs;

constinit std::atomic<bool> busy{false};
constinit std::atomic<uint64_t> next_ns{0};

/// The later point says what both did together.
Point merged(const Point& earlier, Point later) {
    later.live_bytes = std::max(earlier.live_bytes, later.live_bytes);
    later.resident_bytes = std::max(earlier.resident_bytes, later.resident_bytes);
    return later;
}

void halve() {
    const size_t half = count / 2;
    for (size_t i = 0; i < half; ++i) {
        points[i] = merged(points[2 * i], points[2 * i + 1]);
    }
    if (count % 2 != 0) {
        points[half] = points[count - 1];
    }
    count = half + count % 2;
    interval_ns *= 2;
}

}  // namespace

bool is_due(uint64_t at_ns) { return at_ns >= next_ns.load(kRelaxed); }

void add(const Point& point, uint64_t cost_ns) {
    if (busy.exchange(true, std::memory_order_acquire)) {
        return;
    }
    if (count == 0 || point.at_ns > points[count - 1].at_ns) {
        if (count == std::size(points)) {
            halve();
        }
        points[count++] = point;
        next_ns.store(point.at_ns + std::max(interval_ns, cost_ns * kPause), kRelaxed);
    }
    // Pairs with the exchanges: the next one to take it sees this point.
    busy.store(false, std::memory_order_release);
}

void for_each(void (*visit)(const Point& point, void* context), void* context) {
    constexpr int kMostTries = 100;
    for (int tries = 0; busy.exchange(true, std::memory_order_acquire); ++tries) {
        if (tries == kMostTries) {
            return;  // a profile without a timeline is better than none
        }
        os::sleep_ns(1'000'000);
    }
    for (size_t i = 0; i < count; ++i) {
        visit(points[i], context);
    }
    busy.store(false, std::memory_order_release);
}

void forget_threads_in_child() {
    if (busy.load(kRelaxed)) {  // the thread that was changing the points is not in the child
        count = 0;
        interval_ns = kFirstIntervalNs;
        next_ns.store(0, kRelaxed);
        busy.store(false, kRelaxed);
    }
}

}  // namespace hotlane::timeline
