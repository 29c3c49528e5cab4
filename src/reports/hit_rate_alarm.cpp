// SPDX-License-Identifier: MIT
//
// Compares the counters with those at the last check, and calls the program when too few requests hit.
#include "reports/hit_rate_alarm.h"

#include "api/statistics.h"
#include "stats/snapshot.h"

#include <atomic>

namespace hotlane::hit_rate_alarm {

namespace {

/// The settings of the alarm, and the counts at its last check. Protected by the lock of the shared snapshot,
/// which fork takes, too.
struct Alarm {
    double below = 0;
    uint64_t least_allocations = 0;
    hotlane_alarm call = nullptr;
    void* context = nullptr;
    uint64_t allocations[kMaxClasses] = {};
    uint64_t hits[kMaxClasses] = {};
};
constinit Alarm alarm;
constinit std::atomic<bool> alarm_is_set{false};
/// The function that the alarm calls may allocate and reach the alarm again. The flag is thread-local, so
/// that a child forked by another thread meanwhile does not inherit it.
constinit thread_local bool is_in_alarm = false;

/// Returns the counts since the last check and records this check. `worst` gets the class with the most
/// misses.
ClassStats since_last_check(const Snapshot& snapshot, ClassStats& worst) {
    ClassStats sum;
    for (ClassIndex c = 1; c < snapshot.class_count; ++c) {
        ClassStats interval;
        interval.object_size = snapshot.classes[c].object_size;
        interval.hits = snapshot.classes[c].hits - alarm.hits[c];
        interval.misses = snapshot.classes[c].allocations() - alarm.allocations[c] - interval.hits;
        alarm.hits[c] = snapshot.classes[c].hits;
        alarm.allocations[c] = snapshot.classes[c].allocations();
        if (interval.misses >= worst.misses) {
            worst = interval;
        }
        sum += interval;
    }
    return sum;
}

void check_now() {
    hotlane_alarm call = nullptr;
    void* context = nullptr;
    double rate = 1.0;
    ClassStats worst;
    {
        const SharedSnapshot snapshot(SharedSnapshot::Wait::no);
        if (!snapshot) {
            return;
        }
        const ClassStats sum = since_last_check(*snapshot, worst);
        rate = pools::share(sum.hits, sum.allocations(), 1.0);
        if (sum.allocations() == 0 || sum.allocations() < alarm.least_allocations || rate >= alarm.below) {
            return;
        }
        call = alarm.call;
        context = alarm.context;
    }
    if (call != nullptr) {
        const hotlane_class_statistics stats = pools::as_c(worst);
        is_in_alarm = true;
        call(rate, &stats, context);
        is_in_alarm = false;
    }
}

}  // namespace

void set(double below, uint64_t least_allocations, hotlane_alarm call, void* context) {
    const SharedSnapshot snapshot;
    ClassStats worst;
    since_last_check(*snapshot, worst);  // the first interval begins now
    alarm.below = below;
    alarm.least_allocations = least_allocations;
    alarm.call = call;
    alarm.context = context;
    alarm_is_set.store(call != nullptr, std::memory_order_relaxed);
}

void check() {
    if (alarm_is_set.load(std::memory_order_relaxed) && !is_in_alarm) {
        check_now();
    }
}

}  // namespace hotlane::hit_rate_alarm
