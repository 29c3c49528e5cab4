// SPDX-License-Identifier: MIT
//
// The table of metrics, and how the value of each row is computed.
#include "stats/metrics.h"

#include <array>
#include <iterator>
#include <utility>

namespace hotlane {

namespace {

/// A row with the expression for its value. It is read only at compile time, so that no function pointers are
/// stored.
template <class Of>
struct Row {
    Metric metric;
    uint64_t (*value)(const Of&);
};

using enum MetricScope;
using enum MetricType;
using enum MetricUnit;
constexpr bool kAdditive = true;

using A = const ArenaStats&;
using C = const ClassStats&;
using F = const FallbackStats&;
using P = const PoolStats&;
using S = const Snapshot&;

// clang-format off
constexpr Row<ClassStats> kClassRows[] = {
    {{size_class, counter, count, kAdditive, "allocations", "hotlane_allocations_total", "allocs",
      "Requests of the class."}, [](C c) { return c.allocations(); }},
    {{size_class, counter, count, kAdditive, "frees", "hotlane_frees_total", "frees",
      "Objects freed."}, [](C c) { return c.frees; }},
    {{size_class, gauge, billionths, !kAdditive, "hit_rate", "hotlane_hit_ratio", "hit rate",
      "Share of the requests that hit."}, [](C c) { return share_in_billionths(c.hits, c.allocations()); }},
    {{size_class, counter, count, kAdditive, "hits", "hotlane_hits_total", "",
      "Requests served from the calling thread's own cache."}, [](C c) { return c.hits; }},
    {{size_class, counter, count, kAdditive, "misses", "hotlane_misses_total", "misses",
      "Requests that had to refill the thread's cache first."}, [](C c) { return c.misses; }},
    {{size_class, counter, count, kAdditive, "refills", "hotlane_refills_total", "refills",
      "Times a thread's cache was filled from the depot or a span."}, [](C c) { return c.refills; }},
    {{size_class, counter, count, kAdditive, "flushes", "hotlane_flushes_total", "flushes",
      "Times a thread's cache gave objects back."}, [](C c) { return c.flushes; }},
    {{size_class, counter, count, kAdditive, "discards", "hotlane_discards_total", "",
      "Objects that a thread's cache gave back."}, [](C c) { return c.discards; }},
    {{size_class, gauge, count, kAdditive, "spans", "hotlane_spans", "spans",
      "Runs of pages that the class holds now."}, [](C c) { return c.spans; }},
    {{size_class, gauge, count, kAdditive, "live", "hotlane_live_objects", "live",
      "Objects allocated and not freed."}, [](C c) { return c.live(); }},
    {{size_class, gauge, count, kAdditive, "cached", "hotlane_cached_objects", "",
      "Free objects in the caches of threads."}, [](C c) { return c.cached(); }},
    {{size_class, gauge, count, !kAdditive, "peak", "hotlane_peak_objects", "peak",
      "Most objects at once that were live or in a thread's cache."}, [](C c) { return c.peak_objects; }},
    {{size_class, gauge, count, !kAdditive, "swing", "hotlane_cache_swing_objects", "",
      "Most objects that a cache must hold to keep what it gives away and takes back."},
      [](C c) { return c.swing; }},
    {{size_class, gauge, count, kAdditive, "depot", "hotlane_depot_objects", "",
      "Free objects that wait in the depot for any thread."}, [](C c) { return c.depot_objects; }},
    {{size_class, counter, bytes, kAdditive, "fresh_bytes", "hotlane_fresh_bytes_total", "",
      "Bytes of objects whose memory was never used before a cache got them."}, [](C c) { return c.fresh_bytes; }},
    {{size_class, gauge, bytes, kAdditive, "recycled_bytes", "hotlane_recycled_bytes", "",
      "Bytes of the requests that got memory used before."}, [](C c) { return c.recycled_bytes(); }},
};

constexpr Row<FallbackStats> kFallbackRows[] = {
    {{fallback_allocation, counter, count, kAdditive, "count", "hotlane_fallback_allocations_total", "",
      "Requests that went to the fallback."}, [](F f) { return f.count; }},
    {{fallback_allocation, counter, bytes, kAdditive, "bytes", "hotlane_fallback_request_bytes_total", "",
      "Bytes of the requests that went to the fallback."}, [](F f) { return f.bytes; }},
};

constexpr Row<PoolStats> kPoolRows[] = {
    {{pool, gauge, bytes, !kAdditive, "size", "hotlane_pool_object_bytes", "size",
      "Size of the objects of the pools of this name."}, [](P p) { return uint64_t{p.object_size}; }},
    {{pool, gauge, count, kAdditive, "pools", "hotlane_pools", "",
      "Bounded pools of this name."}, [](P p) { return p.pools; }},
    {{pool, gauge, count, kAdditive, "capacity", "hotlane_pool_capacity", "capacity",
      "Objects that they hold."}, [](P p) { return p.capacity; }},
    {{pool, gauge, count, kAdditive, "in_use", "hotlane_pool_in_use", "in use",
      "Objects handed out."}, [](P p) { return p.in_use; }},
    {{pool, gauge, billionths, !kAdditive, "utilisation", "hotlane_pool_utilisation_ratio", "",
      "Share of the objects that is handed out."},
      [](P p) { return p.capacity == 0 ? 0 : share_in_billionths(p.in_use, p.capacity); }},
    {{pool, gauge, count, !kAdditive, "peak", "hotlane_pool_peak", "peak",
      "Most objects handed out at once."}, [](P p) { return p.peak; }},
    {{pool, counter, count, kAdditive, "gets", "hotlane_pool_gets_total", "gets",
      "Requests served from the pools' own objects."}, [](P p) { return p.gets; }},
    {{pool, counter, count, kAdditive, "puts", "hotlane_pool_puts_total", "",
      "Objects of their own put back."}, [](P p) { return p.puts; }},
    {{pool, counter, count, kAdditive, "exhausted", "hotlane_pool_exhausted_total", "exhausted",
      "Requests that found every object handed out."}, [](P p) { return p.exhausted; }},
    {{pool, counter, count, kAdditive, "fallbacks", "hotlane_pool_fallbacks_total", "fallbacks",
      "Of those, served by the allocator."}, [](P p) { return p.fallbacks; }},
    {{pool, gauge, billionths, !kAdditive, "hit_rate", "hotlane_pool_hit_ratio", "hit rate",
      "Share of the requests that the pools' own objects served.", 2},
      [](P p) { return share_in_billionths(p.gets, p.gets + p.exhausted); }},
    {{pool, counter, count, kAdditive, "saved", "hotlane_pool_saved_allocations_total", "saved",
      "Requests that got an object for the second time or later.", 2}, [](P p) { return p.reuses; }},
    {{pool, counter, bytes, kAdditive, "reused_bytes", "hotlane_pool_reused_bytes_total", "reused",
      "Bytes of the objects that these requests got.", 2}, [](P p) { return p.reused_bytes; }},
    {{pool, counter, count, kAdditive, "growths", "hotlane_pool_growths_total", "growths",
      "Times that a pool got more objects.", 2}, [](P p) { return p.growths; }},
    {{pool, gauge, count, !kAdditive, "peak_capacity", "hotlane_pool_peak_capacity", "largest",
      "Most objects that they held at once.", 2}, [](P p) { return p.peak_capacity; }},
    {{pool, gauge, count, !kAdditive, "demand", "hotlane_pool_demand", "demand",
      "Most objects of one pool wanted at once, those that it did not have included.", 2},
      [](P p) { return p.demand; }},
    {{pool, gauge, bytes, kAdditive, "bytes", "hotlane_pool_bytes", "",
      "Memory of the objects, and of what they own."}, [](P p) { return p.bytes; }},
    {{pool, gauge, bytes, !kAdditive, "peak_bytes", "hotlane_pool_peak_bytes", "most mem",
      "Most of that memory at once.", 2}, [](P p) { return p.peak_bytes; }},
    {{pool, counter, count, kAdditive, "hold_samples", "hotlane_pool_hold_samples_total", "timed",
      "Objects whose time between get and put was measured.", 3}, [](P p) { return p.hold_samples; }},
    {{pool, gauge, nanoseconds, !kAdditive, "hold_p50", "hotlane_pool_hold_p50_seconds", "held p50",
      "Time that half of these were held at most.", 3}, [](P p) { return p.hold_p50_ns; }},
    {{pool, gauge, nanoseconds, !kAdditive, "hold_p99", "hotlane_pool_hold_p99_seconds", "held p99",
      "Time that 99 % of these were held at most.", 3}, [](P p) { return p.hold_p99_ns; }},
    {{pool, gauge, nanoseconds, !kAdditive, "hold_max", "hotlane_pool_hold_max_seconds", "longest",
      "Longest of these times.", 3}, [](P p) { return p.hold_max_ns; }},
    {{pool, counter, count, kAdditive, "long_holds", "hotlane_pool_long_holds_total", "long holds",
      "How many of these were held for more than 100 ms.", 3}, [](P p) { return p.long_holds; }},
};

constexpr Row<ArenaStats> kArenaRows[] = {
    {{arena, gauge, count, kAdditive, "arenas", "hotlane_arenas", "arenas",
      "Arenas of this name that are not part of a pool."}, [](A a) { return a.arenas; }},
    {{arena, counter, count, kAdditive, "created", "hotlane_arenas_created_total", "created",
      "Such arenas, destroyed ones included."}, [](A a) { return a.created; }},
    {{arena, gauge, bytes, kAdditive, "bytes", "hotlane_arena_bytes", "bytes",
      "Memory of their pages."}, [](A a) { return a.bytes; }},
    {{arena, gauge, bytes, !kAdditive, "peak_bytes", "hotlane_arena_peak_bytes", "most mem",
      "Most of that memory at once."}, [](A a) { return a.peak_bytes; }},
    {{arena, gauge, bytes, !kAdditive, "largest", "hotlane_arena_largest_bytes", "largest",
      "Most memory that one of them held."}, [](A a) { return a.largest; }},
    {{arena, counter, count, kAdditive, "refused", "hotlane_arena_refusals_total", "refused",
      "Times one of them got no page: it was at its limit, or there was no memory."},
      [](A a) { return a.refused; }},
};

constexpr Row<Snapshot> kSnapshotRows[] = {
    {{total, counter, count, kAdditive, "allocations", "", "",
      "Requests of all classes."}, [](S s) { return s.allocations(); }},
    {{total, counter, count, kAdditive, "frees", "", "",
      "Objects of all classes freed."}, [](S s) { return s.frees(); }},
    {{total, counter, count, kAdditive, "hits", "", "",
      "Requests of all classes that hit."}, [](S s) { return s.hits(); }},
    {{total, counter, count, kAdditive, "misses", "", "",
      "Requests of all classes that missed."}, [](S s) { return s.misses(); }},
    {{total, gauge, billionths, !kAdditive, "hit_rate", "", "",
      "Share of all these requests that hit."}, [](S s) { return share_in_billionths(s.hits(), s.allocations()); }},
    {{total, counter, bytes, kAdditive, "fresh_bytes", "", "",
      "Fresh bytes of all classes."}, [](S s) { return s.fresh_bytes(); }},
    {{total, gauge, bytes, kAdditive, "recycled_bytes", "", "",
      "Recycled bytes of all classes."}, [](S s) { return s.recycled_bytes(); }},
    {{total, counter, count, kAdditive, "fallback_allocations", "", "",
      "Requests that went to the fallback."}, [](S s) { return s.fallback_count(); }},
    {{total, counter, count, kAdditive, "fallback_frees", "hotlane_fallback_frees_total", "",
      "Objects of the fallback freed."}, [](S s) { return s.fallback_frees; }},
    {{total, counter, count, kAdditive, "wrong_sized_deletes", "hotlane_wrong_sized_deletes_total", "",
      "Deletes with a size that was not the object's; served by its real size."},
      [](S s) { return s.wrong_sized_deletes; }},
    {{total, gauge, count, kAdditive, "guarded_live", "hotlane_guarded_objects", "",
      "Live objects beside a guard page."}, [](S s) { return s.guarded_live; }},
    {{total, gauge, count, kAdditive, "guarded_freed", "hotlane_guard_quarantine_objects", "",
      "Freed guarded objects that are still inaccessible."}, [](S s) { return s.guarded_in_quarantine; }},
    {{total, counter, count, kAdditive, "guard_reports", "hotlane_guard_reports_total", "",
      "Mistakes that guards found."}, [](S s) { return s.guard_reports; }},

    {{memory, gauge, bytes, kAdditive, "live", "hotlane_live_bytes", "",
      "Bytes of the live objects of all classes."}, [](S s) { return s.live_bytes(); }},
    {{memory, gauge, bytes, kAdditive, "reserved", "hotlane_region_reserved_bytes", "",
      "Address space of the region."}, [](S s) { return s.region_reserved_bytes; }},
    {{memory, gauge, bytes, kAdditive, "committed", "hotlane_region_committed_bytes", "",
      "Part of the region that was made usable."}, [](S s) { return s.region_committed_bytes; }},
    {{memory, gauge, bytes, kAdditive, "in_use", "hotlane_region_in_use_bytes", "",
      "Pages that belong to a class."}, [](S s) { return s.region_in_use_bytes; }},
    {{memory, gauge, bytes, kAdditive, "free_dirty", "hotlane_region_free_dirty_bytes", "",
      "Free pages that still hold memory."}, [](S s) { return s.region_free_dirty_bytes; }},
    {{memory, counter, count, kAdditive, "purges", "hotlane_purges_total", "",
      "Times free memory was given back to the system."}, [](S s) { return s.purges; }},
    {{memory, counter, bytes, kAdditive, "purged", "hotlane_purged_bytes_total", "",
      "Bytes given back to the system."}, [](S s) { return s.purged_bytes; }},
    {{memory, gauge, bytes, kAdditive, "metadata", "hotlane_metadata_bytes", "",
      "Memory that the bookkeeping takes."}, [](S s) { return s.metadata_bytes; }},
    {{memory, gauge, bytes, kAdditive, "fallback", "hotlane_fallback_bytes", "",
      "Memory allocated by the fallback."}, [](S s) { return s.fallback_bytes; }},
    {{memory, gauge, bytes, kAdditive, "fallback_resident", "hotlane_fallback_resident_bytes", "",
      "Memory that the fallback keeps, free blocks and metadata included."},
      [](S s) { return s.fallback_resident_bytes; }},
    {{memory, gauge, bytes, !kAdditive, "peak_rss", "hotlane_peak_rss_bytes", "",
      "Largest resident set of the process so far."}, [](S s) { return s.peak_rss_bytes; }},

    {{process, gauge, nanoseconds, !kAdditive, "run_time", "hotlane_run_time_seconds", "",
      "Time since the process started."}, [](S s) { return s.run_time_ns; }},
    {{process, gauge, count, kAdditive, "threads_live", "hotlane_threads", "",
      "Threads that have a cache."}, [](S s) { return s.threads_live; }},
    {{process, counter, count, kAdditive, "threads_ended", "hotlane_threads_ended_total", "",
      "Threads that had a cache and have ended."}, [](S s) { return s.threads_ended; }},
    {{process, gauge, nanoseconds, !kAdditive, "finer_classes_after", "hotlane_finer_classes_seconds", "",
      "Run time at which HOTLANE_SIZE_CLASSES=auto chose finer classes; 0: not."},
      [](S s) { return s.finer_classes_after_ns; }},
};
// clang-format on

/// The rows of all tables without their expressions, one table after the other.
template <class... Of, size_t... N>
consteval auto without_expressions(const Row<Of> (&... rows)[N]) {
    std::array<Metric, (N + ...)> table{};
    size_t count = 0;
    const auto append = [&table, &count](const auto& some) {
        for (const auto& row : some) {
            table[count++] = row.metric;
        }
    };
    (append(rows), ...);
    return table;
}
constexpr auto kMetrics =
    without_expressions(kClassRows, kFallbackRows, kPoolRows, kArenaRows, kSnapshotRows);
constexpr size_t kFirstFallback = std::size(kClassRows);
constexpr size_t kFirstPool = kFirstFallback + std::size(kFallbackRows);
constexpr size_t kFirstArena = kFirstPool + std::size(kPoolRows);
constexpr size_t kFirstOfSnapshot = kFirstArena + std::size(kArenaRows);

/// The value of one row. The compiler makes a switch of this.
template <const auto& kRows, class Of, size_t... I>
uint64_t evaluate(size_t row, const Of& of, std::index_sequence<I...> /*rows*/) {
    uint64_t value = 0;
    (void)((row == I && (value = kRows[I].value(of), true)) || ...);
    return value;
}
template <const auto& kRows, class Of>
uint64_t evaluate(size_t row, const Of& of) {
    return evaluate<kRows>(row, of, std::make_index_sequence<std::size(kRows)>{});
}

size_t row_of(const Metric& metric) { return static_cast<size_t>(&metric - kMetrics.data()); }

}  // namespace

std::span<const Metric> metrics() { return kMetrics; }

uint64_t class_metric_value(const Metric& metric, const ClassStats& stats) {
    return evaluate<kClassRows>(row_of(metric), stats);
}

uint64_t metric_value(const Metric& metric, const Snapshot& snapshot, size_t index) {
    switch (metric.scope) {
    case size_class:
        return class_metric_value(metric, snapshot.classes[index]);
    case fallback_allocation:
        return evaluate<kFallbackRows>(row_of(metric) - kFirstFallback, snapshot.fallback_allocations[index]);
    case pool:
        return evaluate<kPoolRows>(row_of(metric) - kFirstPool, snapshot.pools[index]);
    case arena:
        return evaluate<kArenaRows>(row_of(metric) - kFirstArena, snapshot.arenas[index]);
    default:
        return evaluate<kSnapshotRows>(row_of(metric) - kFirstOfSnapshot, snapshot);
    }
}

void write_metric_value(Writer& out, const Metric& metric, uint64_t value) {
    constexpr uint64_t kBillion = 1'000'000'000;
    if (metric.unit != nanoseconds && metric.unit != billionths) {
        out.number(value);
        return;
    }
    // Prints ten digits and drops the first one, so that the digits after the point are padded with zeros.
    char digits[10];
    Writer padded{digits, sizeof digits};
    padded.number(kBillion + value % kBillion);
    out.number(value / kBillion).text(".").text({digits + 1, 9});
}

}  // namespace hotlane
