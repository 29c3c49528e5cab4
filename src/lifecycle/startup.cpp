// SPDX-License-Identifier: MIT
//
// The start of hotlane: reads the options and sets up every tier with its settings.
#include "lifecycle/startup.h"

#include "base/errno_saver.h"
#include "depot/depot.h"
#include "diagnostics/misuse.h"
#include "fallback/fallback.h"
#include "maintenance/maintenance.h"
#include "profiler/stack/call_stack.h"
#include "stats/pool_registry.h"
#include "thread_cache/prefill.h"
#include "thread_cache/thread_registry.h"

#include <algorithm>
#include <atomic>

namespace hotlane {

namespace {

struct Process {
    Config configuration;
    Lock start_lock{LockRank::reports};
    bool has_options = false;  // under start_lock
    std::atomic<bool> started{false};
    uint64_t start_ns = 0;
};
/// Begins a page, so that a process without requests writes one page of variables.
HOTLANE_DATA_OF_EVERY_PROCESS alignas(kSmallestOsPage) constinit Process process;

constinit std::atomic<void (*)(uint64_t)> pass_listener{nullptr};
constinit std::atomic<uint64_t> pool_window_ns{0};  // when the last window of the pools began

/// With the setting "auto", 2-MiB pages are asked for only beyond this much memory: a small program would
/// lose more than it gains.
constexpr size_t kHugeFromBytes = 32 * MiB;

CacheSettings cache_settings() {
    CacheSettings settings;
    settings.budget_bytes = process.configuration.thread_cache.bytes;
    settings.automatic = process.configuration.thread_cache.automatic;
    for (uint8_t i = 0; i < process.configuration.thread_cache.count; ++i) {
        const CacheLimits::OfClass& limit = process.configuration.thread_cache.of_class[i];
        // The first class serves the size now, the second from the moment when an automatic table changes.
        for (const ClassIndex c :
             {size_classes.class_of(limit.size), size_classes.smallest_class_for(limit.size)}) {
            settings.class_bytes[c] = std::max(limit.bytes, 1U);
        }
    }
    settings.uncached = process.configuration.check_frees;
    return settings;
}

void register_warmups() {
    for (size_t i = 0; i < process.configuration.warmup_count; ++i) {
        const WarmupEntry& entry = process.configuration.warmup[i];
        if (entry.size <= kLargestSmall) {
            warm_up_new_threads(size_classes.smallest_class_for(entry.size), entry.count);
        }
    }
}

size_t huge_from_bytes() {
    switch (process.configuration.huge_pages) {
    case HugePages::automatic:
        return kHugeFromBytes;
    case HugePages::always:
        return 0;
    case HugePages::never:
        break;
    }
    return SIZE_MAX;
}

Region::Settings region_settings() {
    Region::Settings settings;
    settings.reserve_bytes = process.configuration.reserve_bytes;
    settings.limit_bytes = process.configuration.limit;
    settings.span_metadata_bytes = Span::metadata_bytes(size_classes.most_objects);
    settings.section_metadata_bytes = Depot::section_metadata_bytes();
    settings.huge_from_bytes = huge_from_bytes();
    return settings;
}

/// Keeps errno: this runs inside malloc, which must not change errno except to ENOMEM.
void after_pass(uint64_t now_ns) {
    const ErrnoSaver keep;
    if (now_ns - pool_window_ns.load(std::memory_order_relaxed) >= process.configuration.purge_delay_ns) {
        pool_window_ns.store(now_ns, std::memory_order_relaxed);
        pools::begin_window();
    }
    if (auto* const listener = pass_listener.load(std::memory_order_acquire)) {
        listener(now_ns);
    }
}

/// A process without requests and reports needs no time, and to read the clock takes two page faults.
void note_start() {
    if (process.start_ns == 0) {
        process.start_ns = os::monotonic_ns();
    }
}

/// The caller holds start_lock.
HOTLANE_IN_EVERY_PROCESS void set_options() {
    if (process.has_options) {
        return;
    }
    process.has_options = true;
    os::remember_program_name();
    set_stack_writer(write_call_stack);
    read_config(process.configuration, os::in_shared_object());
    if (process.configuration.stats != StatsFormat::off) {
        note_start();
    }
    if (process.configuration.on_error != Config{}.on_error) {  // a write would touch a page for nothing
        set_on_error(process.configuration.on_error);
    }
}

void start() {
    LockGuard guard(process.start_lock);
    if (process.started.load(std::memory_order_relaxed)) {
        return;
    }
    set_options();
    note_start();
    select_size_classes(process.configuration.size_classes);
    Depot::set_up_all();
    if (!region.set_up(region_settings()) && process.configuration.verbose) {
        message("no address space for the hot lane: every request goes to the fallback");
    }
    fallback::ask_for_huge_pages_from(huge_from_bytes());
    set_up_thread_caches(cache_settings());
    register_warmups();
    if (process.configuration.pool_limit != 0) {  // a write would touch a page for nothing
        pools::set_limit(process.configuration.pool_limit);
    }
    thread_registry::set_up();
    maintenance::set_up(process.configuration.purge_delay_ns,
                        {.pass = fallback::pass, .purge = fallback::purge, .after_pass = after_pass});
    // Pairs with the acquire in ensure_started(): a thread that reads true finds every tier set up.
    process.started.store(true, std::memory_order_release);
}

}  // namespace

HOTLANE_IN_EVERY_PROCESS void ensure_configured() {
    LockGuard guard(process.start_lock);
    set_options();
}

void ensure_started() {
    if (!process.started.load(std::memory_order_acquire)) [[unlikely]] {
        start();
    }
}

uint64_t started_at_ns() { return process.start_ns; }

const Config& config() { return process.configuration; }

void call_after_passes(void (*listener)(uint64_t)) {
    // Pairs with the acquire in after_pass(): everything that the listener reads was written before.
    pass_listener.store(listener, std::memory_order_release);
}

void lock_startup_for_fork() { process.start_lock.lock(); }

void unlock_startup_after_fork() { process.start_lock.unlock(); }

}  // namespace hotlane
