// SPDX-License-Identifier: MIT
//
// The statistics file while the process runs, and the alarm about a low hit rate.
// Must not know how a report looks.
// Called after a tick of the upkeep; started by process.
#include "live.h"

#include "observe/report.h"
#include "pools/statistics.h"
#include "profiling.h"
#include "snapshot.h"
#include "startup.h"

#include <atomic>

namespace hotlane::live {

namespace {

constinit int reporting_process = 0;
constinit std::atomic<uint64_t> next_report_ns{0};

/// What is asked for, and the counts of the last look. Protected by the shared snapshot's lock, which fork
/// takes too.
struct Alarm {
    double below = 0;
    uint64_t least_gets = 0;
    hotlane_alarm call = nullptr;
    void* context = nullptr;
    uint64_t gets[kMaxClasses] = {};
    uint64_t hits[kMaxClasses] = {};
};
constinit Alarm alarm;
constinit std::atomic<bool> alarm_is_set{false};
/// What the alarm itself allocates may bring its thread here again. The thread's own, so that a child forked
/// meanwhile by another thread is not left with it.
constinit thread_local bool is_in_alarm = false;

/// What happened since the last look, which this one becomes. `worst` gets the class that missed most.
ClassStats since_last_look(const Snapshot& snapshot, ClassStats& worst) {
    ClassStats sum;
    for (ClassIndex c = 1; c < snapshot.class_count; ++c) {
        ClassStats interval;
        interval.object_size = snapshot.classes[c].object_size;
        interval.hits = snapshot.classes[c].hits - alarm.hits[c];
        interval.misses = snapshot.classes[c].gets() - alarm.gets[c] - interval.hits;
        alarm.hits[c] = snapshot.classes[c].hits;
        alarm.gets[c] = snapshot.classes[c].gets();
        if (interval.misses >= worst.misses) {
            worst = interval;
        }
        sum += interval;
    }
    return sum;
}

void look_at_hit_rate() {
    hotlane_alarm call = nullptr;
    void* context = nullptr;
    double rate = 1.0;
    ClassStats worst;
    {
        const SharedSnapshot snapshot(SharedSnapshot::Wait::no);
        if (!snapshot) {
            return;
        }
        const ClassStats sum = since_last_look(*snapshot, worst);
        rate = pools::share(sum.hits, sum.gets(), 1.0);
        if (sum.gets() == 0 || sum.gets() < alarm.least_gets || rate >= alarm.below) {
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

void after_tick(uint64_t now_ns) {
    if (config().stats_interval_ns != 0) {
        report_if_due(now_ns);
    }
    if (alarm_is_set.load(std::memory_order_relaxed) && !is_in_alarm) {
        look_at_hit_rate();
    }
    profiling::tick(now_ns);
}

}  // namespace

void start() {
    reporting_process = os::process_id();
    if (config().stats_interval_ns != 0 || profiling::wants_ticks()) {
        call_after_ticks(after_tick);
    }
}

bool reports_here() {
    return os::process_id() == reporting_process ||
           std::string_view(config().stats_file).find("%p") != std::string_view::npos;
}

void report_if_due(uint64_t now_ns) {
    uint64_t due = next_report_ns.load(std::memory_order_relaxed);
    if (now_ns < due || config().stats == StatsFormat::off || config().stats_file[0] == '\0' ||
        !reports_here() ||
        !next_report_ns.compare_exchange_strong(due, now_ns + config().stats_interval_ns)) {
        return;
    }
    if (const SharedSnapshot snapshot(SharedSnapshot::Wait::no); snapshot) {
        write_report_file(config().stats_file, *snapshot, config().stats);
    }
}

void set_alarm(double below, uint64_t least_gets, hotlane_alarm call, void* context) {
    const SharedSnapshot snapshot;
    ClassStats worst;
    since_last_look(*snapshot, worst);  // the first interval begins now
    alarm.below = below;
    alarm.least_gets = least_gets;
    alarm.call = call;
    alarm.context = context;
    alarm_is_set.store(call != nullptr, std::memory_order_relaxed);
    call_after_ticks(after_tick);
}

}  // namespace hotlane::live
