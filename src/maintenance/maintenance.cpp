// SPDX-License-Identifier: MIT
//
// Periodic maintenance: returns unused cached objects to their spans, and free pages to the kernel.
#include "maintenance/maintenance.h"

#include "depot/depot.h"
#include "maintenance/tuning.h"
#include "page_heap/page_reserve.h"
#include "sync/lock.h"
#include "sync/thread_end.h"

#include <algorithm>

namespace hotlane::maintenance {

namespace {

HOTLANE_DATA_OF_EVERY_PROCESS constinit Lock lock{LockRank::maintenance};
HOTLANE_DATA_OF_EVERY_PROCESS constinit std::atomic<uint64_t> next_pass_ns{0};
/// The next pass, or the rest of the last one.
HOTLANE_DATA_OF_EVERY_PROCESS constinit std::atomic<uint64_t> next_work_ns{0};
/// When purge_after_refusal() purges even without a surplus.
HOTLANE_DATA_OF_EVERY_PROCESS constinit std::atomic<uint64_t> next_purge_ns{0};
HOTLANE_DATA_OF_EVERY_PROCESS constinit uint64_t interval = 250'000'000;
HOTLANE_DATA_OF_EVERY_PROCESS constinit Hooks hooks;
HOTLANE_DATA_OF_EVERY_PROCESS constinit CacheHooks caches;

void reap_depots(bool everything) {
    for (ClassIndex c = 1; c < size_classes.count; ++c) {
        depots[c].reap(everything);
    }
    page_reserves.give_back();
}

/// What is left to do of the last pass. Under the lock.
struct Rest {
    bool reclaim = false;
    bool purge = false;
    bool purge_waited = false;  // the last part had no time for it
};
HOTLANE_DATA_OF_EVERY_PROCESS constinit Rest rest;

void schedule(uint64_t now_ns) {
    const uint64_t pass_ns = next_pass_ns.load(std::memory_order_relaxed);
    const uint64_t rest_ns = now_ns + tuning::pause_before_rest(interval);
    next_work_ns.store(rest.reclaim || rest.purge ? std::min(rest_ns, pass_ns) : pass_ns,
                       std::memory_order_relaxed);
}

/// Does a part of what is left: at most as much as one request may wait for.
void work(uint64_t now_ns) {
    const uint64_t late_ns = now_ns - next_work_ns.load(std::memory_order_relaxed);
    bool purges = rest.purge;
    if (rest.reclaim && !rest.purge_waited) {
        rest.reclaim = caches.reclaim(false);
        purges = purges && !rest.reclaim;
    }
    if (purges) {
        const size_t most = tuning::most_to_purge(late_ns, tuning::pause_before_rest(interval));
        // One tick more than the delay: a page may have been freed just before a tick of the clock.
        rest.purge = region.purge_some(tick_at(now_ns), tuning::kTicksPerPurgeDelay + 1, most);
    }
    rest.purge_waited = rest.purge && !purges;
}

void pass(uint64_t now_ns) {
    // Aligned to the ticks of tick_at(), in which the age of pages is counted.
    next_pass_ns.store((now_ns / interval + 1) * interval, std::memory_order_relaxed);
    rest.reclaim = true;
    rest.purge = region.has_free_dirty_pages();
    region.forget_old_peak();
    work(now_ns);
    reap_depots(false);
    hooks.pass(now_ns);
}

}  // namespace

void set_up(uint64_t purge_delay_ns, const Hooks& chosen) {
    interval = std::max<uint64_t>(purge_delay_ns / tuning::kTicksPerPurgeDelay, 1);
    tick_ns = interval;
    hooks = chosen;
    next_pass_ns.store(os::coarse_ns() + interval, std::memory_order_relaxed);
    next_work_ns.store(next_pass_ns, std::memory_order_relaxed);
    rest = {};
    next_purge_ns.store(0, std::memory_order_relaxed);
}

void set_cache_hooks(const CacheHooks& chosen) { caches = chosen; }

uint64_t interval_ns() { return interval; }
uint64_t pause_ns() {
    const bool has_rest =
        next_work_ns.load(std::memory_order_relaxed) < next_pass_ns.load(std::memory_order_relaxed);
    return has_rest ? tuning::pause_before_rest(interval) : interval;
}

uint64_t poll() {
    const uint64_t now = os::coarse_ns();
    if (now < next_work_ns.load(std::memory_order_relaxed) || locks_are_lost()) {
        return now;
    }
    // The fallback's part of the pass may register this thread, and then has to learn of its end.
    if (!thread_end::prepare() || !lock.try_lock()) {
        return now;
    }
    const bool pass_is_due = now >= next_pass_ns.load(std::memory_order_relaxed);
    if (pass_is_due) {
        pass(now);
        schedule(now);
    } else if (now >= next_work_ns.load(std::memory_order_relaxed)) {
        work(now);
        schedule(now);
    }
    lock.unlock();
    if (pass_is_due) {
        caches.poll_soon();
        hooks.after_pass(now);
    }
    return now;
}

uint64_t poll_at_free() { return thread_end::is_to_come() ? poll() : os::coarse_ns(); }

void flush_before_growth_if_due() {
    if (!locks_are_lost() && region.growth_calls_for_flush() && lock.try_lock()) {
        caches.flush_this_thread();
        reap_depots(true);
        region.purge_to_budget(tick_at(os::coarse_ns()));
        lock.unlock();
    }
}

size_t purge_everything() {
    caches.flush_this_thread();
    thread_end::prepare();
    LockGuard guard(lock);
    caches.reclaim(true);
    // Between the flush of the caches and that of the depots: whatever comes back from now on is a surplus.
    region.forget_surplus();
    reap_depots(true);
    hooks.purge();  // gives the region pages, too
    const size_t bytes = region.purge(tick_at(os::coarse_ns()), 0);
    region.give_back_end();
    return bytes;
}

bool purge_after_refusal() {
    const uint64_t now = os::coarse_ns();
    const bool freed_here = caches.freed_since_asked();
    if (!freed_here && !region.has_surplus() && now < next_purge_ns.load(std::memory_order_relaxed)) {
        return false;
    }
    next_purge_ns.store(now + interval, std::memory_order_relaxed);
    purge_everything();
    return true;
}

void note_surplus() { region.note_surplus(); }

void lock_for_fork() { lock.lock(); }
void unlock_after_fork() { lock.unlock(); }

}  // namespace hotlane::maintenance
