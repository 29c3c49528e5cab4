// SPDX-License-Identifier: MIT
//
// Converts a snapshot, less the one of the last reset, to the structures of hotlane/hotlane.h.
#include "api/statistics.h"

#include "lifecycle/startup.h"
#include "page_heap/size_classes.h"
#include "reports/report.h"
#include "stats/pool_registry.h"
#include "stats/snapshot.h"

#include <algorithm>
#include <cstring>

namespace hotlane::pools {

namespace {

/// The snapshot of the last reset. Protected by the shared snapshot's lock.
constinit Snapshot beginning;

ClassStats since_reset(const Snapshot& now, ClassIndex c) {
    const ClassStats& before = beginning.classes[c];
    ClassStats stats = now.classes[c];
    stats.hits -= before.hits;
    stats.misses -= before.misses;
    stats.frees -= before.frees;
    stats.discards -= before.discards;
    stats.fresh_bytes -= before.fresh_bytes;
    return stats;
}

/// Copies the first `size` bytes, at most those that exist.
template <typename T>
size_t copy_out(const T& from, T* out, size_t size) {
    memcpy(out, &from, std::min(size, sizeof from));
    return sizeof from;
}

hotlane_pool_statistics as_c(const PoolStats& now, const PoolStats& before) {
    hotlane_pool_statistics stats{};
    memcpy(stats.name, now.name, sizeof stats.name);
    stats.object_size = now.object_size;
    stats.pools = now.pools;
    stats.capacity = now.capacity;
    stats.in_use = now.in_use;
    stats.peak = now.peak_since_reset;
    stats.gets = now.gets - before.gets;
    stats.puts = now.puts - before.puts;
    stats.exhausted = now.exhausted - before.exhausted;
    stats.fallbacks = now.fallbacks - before.fallbacks;
    stats.utilisation = share(now.in_use, now.capacity, 0.0);
    stats.hit_rate = share(stats.gets, stats.gets + stats.exhausted, 1.0);
    stats.saved_allocations = now.reuses - before.reuses;
    stats.bytes_reused = now.reused_bytes - before.reused_bytes;
    stats.growths = now.growths - before.growths;
    stats.peak_capacity = now.peak_capacity;
    stats.demand = now.demand;
    stats.bytes = now.bytes;
    stats.peak_bytes = now.peak_bytes;
    stats.hold_samples = now.hold_samples;
    stats.hold_p50_ns = now.hold_p50_ns;
    stats.hold_p99_ns = now.hold_p99_ns;
    stats.hold_max_ns = now.hold_max_ns;
    stats.long_holds = now.long_holds;
    return stats;
}

StatsFormat format_of(hotlane_format format) {
    switch (format) {
    case HOTLANE_JSON:
        return StatsFormat::json;
    case HOTLANE_PROMETHEUS:
        return StatsFormat::prometheus;
    default:
        return StatsFormat::text;
    }
}

}  // namespace

double share(uint64_t part, uint64_t whole, double of_nothing) {
    return whole == 0 ? of_nothing : static_cast<double>(part) / static_cast<double>(whole);
}

hotlane_class_statistics as_c(const ClassStats& stats) {
    hotlane_class_statistics out{};
    out.object_size = stats.object_size;
    out.allocations = stats.allocations();
    out.frees = stats.frees;
    out.hits = stats.hits;
    out.misses = stats.misses;
    out.discards = stats.discards;
    out.live = stats.live();
    out.bytes_allocated = stats.misses * stats.object_size;
    out.bytes_reused = stats.hits * stats.object_size;
    out.hit_rate = share(stats.hits, stats.allocations(), 1.0);
    out.bytes_fresh = stats.fresh_bytes;
    out.bytes_recycled = stats.recycled_bytes();
    return out;
}

size_t copy_statistics(struct hotlane_statistics* out, size_t size) {
    const SharedSnapshot now;
    hotlane_statistics stats{};
    ClassStats sum;
    for (ClassIndex c = 1; c < now->class_count; ++c) {
        const ClassStats of_class = since_reset(*now, c);
        stats.bytes_allocated += of_class.misses * of_class.object_size;
        stats.bytes_reused += of_class.hits * of_class.object_size;
        stats.bytes_fresh += of_class.fresh_bytes;
        stats.bytes_recycled += of_class.recycled_bytes();
        sum += of_class;
    }
    stats.allocations = sum.allocations();
    stats.frees = sum.frees;
    stats.hits = sum.hits;
    stats.misses = sum.misses;
    stats.discards = sum.discards;
    stats.fallback_allocations = now->fallback_count() - beginning.fallback_count();
    stats.fallback_frees = now->fallback_frees - beginning.fallback_frees;
    stats.live_bytes = now->live_bytes();
    stats.committed_bytes = now->region_in_use_bytes + now->region_free_dirty_bytes;
    stats.threads = now->threads_live;
    stats.hit_rate = share(stats.hits, stats.allocations, 1.0);
    stats.reuse_efficiency = share(stats.bytes_reused, stats.bytes_reused + stats.bytes_allocated, 1.0);
    return copy_out(stats, out, size);
}

size_t copy_class_statistics(size_t request, hotlane_class_statistics* out, size_t size) {
    if (request > kLargestSmall) {
        return 0;
    }
    const SharedSnapshot now;
    const ClassIndex c = size_classes.class_of(request);
    hotlane_class_statistics stats = as_c(since_reset(*now, c));
    stats.live = now->classes[c].live();
    return copy_out(stats, out, size);
}

size_t copy_pool_statistics(const char* name, hotlane_pool_statistics* out, size_t size) {
    const SharedSnapshot now;
    for (size_t i = 0; i < now->pool_count; ++i) {
        if (strncmp(now->pools[i].name, name, PoolStats::kNameCapacity - 1) == 0) {
            return copy_out(as_c(now->pools[i], beginning.pools[i]), out, size);
        }
    }
    return 0;
}

size_t copy_arena_statistics(const char* name, hotlane_arena_statistics* out, size_t size) {
    const SharedSnapshot now;
    for (size_t i = 0; i < now->arena_count; ++i) {
        const ArenaStats& of_name = now->arenas[i];
        if (strncmp(of_name.name, name, ArenaStats::kNameCapacity - 1) == 0) {
            hotlane_arena_statistics stats{.name = {},
                                           .arenas = of_name.arenas,
                                           .created = of_name.created,
                                           .bytes = of_name.bytes,
                                           .peak_bytes = of_name.peak_bytes,
                                           .largest = of_name.largest,
                                           .refused = of_name.refused};
            memcpy(stats.name, of_name.name, sizeof stats.name);
            return copy_out(stats, out, size);
        }
    }
    return 0;
}

void reset_statistics() {
    const SharedSnapshot now;
    beginning = *now;
    reset_peaks();
}

int print_statistics(int fd, hotlane_format format) {
    const OwnSnapshot now;  // the reader may be slow
    Writer out(fd);
    write_report(out, *now, format_of(format));
    return out.flush() ? 0 : -1;
}

size_t format_statistics(char* out, size_t capacity, hotlane_format format) {
    if (capacity == 0) {
        return 0;
    }
    const SharedSnapshot now;
    Writer text(out, capacity - 1);
    write_report(text, *now, format_of(format));
    const size_t length = text.flush() ? text.bytes_written() : 0;
    out[length] = '\0';
    return length;
}

}  // namespace hotlane::pools
