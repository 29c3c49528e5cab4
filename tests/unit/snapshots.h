// SPDX-License-Identifier: MIT
//
// Snapshots with known numbers, for the tests of the metrics and of the reports.
#pragma once

#include "stats/stats.h"

#include <cstring>

namespace hotlane {

inline PoolStats frames_pool() {
    return {.name = "frames",
            .object_size = 4096,
            .pools = 1,
            .capacity = 16,
            .in_use = 4,
            .peak = 9,
            .gets = 1'004,
            .puts = 1'000,
            .exhausted = 6,
            .fallbacks = 5,
            .reuses = 995,
            .reused_bytes = 995 * 4096,
            .growths = 1,
            .peak_capacity = 32,
            .demand = 21,
            .bytes = 16 * 4096,
            .peak_bytes = 32 * 4096,
            .hold_samples = 100,
            .hold_p50_ns = 250'000,
            .hold_p99_ns = 120'000'000,
            .hold_max_ns = 130'000'000,
            .long_holds = 3};
}

inline ArenaStats request_arena() {
    return {.name = "request",
            .arenas = 2,
            .created = 40,
            .bytes = 192 * KiB,
            .peak_bytes = 1 * MiB,
            .largest = 640 * KiB,
            .refused = 1};
}

/// A small program: three of the four classes were used, and some requests were served by the fallback.
inline Snapshot small_snapshot() {
    Snapshot s;
    s.class_count = 5;
    s.classes[1] = {.object_size = 64,
                    .hits = 5'120'000,
                    .misses = 3'456,
                    .frees = 5'120'000,
                    .refills = 3'456,
                    .flushes = 1'200,
                    .spans = 12,
                    .depot_objects = 512,
                    .objects = 3'500,
                    .peak_objects = 45'678,
                    .fresh_bytes = 3 * MiB};
    s.classes[2] = {.object_size = 128,
                    .hits = 900,
                    .misses = 100,
                    .frees = 1'000,
                    .refills = 100,
                    .flushes = 10,
                    .spans = 1,
                    .depot_objects = 0,
                    .peak_objects = 70,
                    .fresh_bytes = 8960};
    s.classes[3].object_size = 1'280;
    s.classes[4] = {.object_size = 65'536,
                    .hits = 15'000'000,
                    .misses = 2,
                    .frees = 14'999'999,
                    .refills = 2,
                    .flushes = 0,
                    .spans = 3,
                    .depot_objects = 4,
                    .peak_objects = 8};
    s.fallback_allocations[0] = {.count = 12, .bytes = 34 * MiB};
    s.fallback_allocations[1] = {.count = 2, .bytes = 8 * KiB};
    s.fallback_frees = 11;
    s.pool_count = 1;
    s.pools[0] = frames_pool();
    s.arena_count = 1;
    s.arenas[0] = request_arena();
    s.threads_live = 1;
    s.threads_ended = 3;
    s.finer_classes_after_ns = 250'000'000;
    s.region_reserved_bytes = 256 * GiB;
    s.region_committed_bytes = 8 * MiB;
    s.region_in_use_bytes = 3 * MiB;
    s.region_free_dirty_bytes = 640 * KiB;
    s.purges = 2;
    s.purged_bytes = 2 * MiB;
    s.metadata_bytes = 98'304;
    s.fallback_bytes = 3 * MiB;
    s.fallback_resident_bytes = 4 * MiB;
    s.peak_rss_bytes = 47'395'635;
    s.run_time_ns = 1'240'000'000;
    s.process_id = 4242;
    strcpy(s.program, "python3");
    return s;
}

/// The same with more names of pools than the text report has lines for.
inline Snapshot snapshot_of_many_pools() {
    Snapshot s = small_snapshot();
    s.pool_count = 7;
    for (size_t i = 1; i < s.pool_count; ++i) {
        s.pools[i] = {.object_size = 64U << i,
                      .pools = 2,
                      .capacity = 1'000 * i,
                      .in_use = i,
                      .peak = 10 * i,
                      .gets = 1'000'000 * i,
                      .puts = 1'000'000 * i - i};
        s.pools[i].name[0] = static_cast<char>('a' + i);
    }
    strcpy(s.pools[2].name, "a name of thirty-one characters");
    return s;
}

/// Every class is in use, and every number has its maximum width.
inline Snapshot widest_snapshot() {
    Snapshot s = small_snapshot();
    s.class_count = kMaxClasses;
    for (size_t i = 1; i < kMaxClasses; ++i) {
        s.classes[i] = {.object_size = i * 1'024 - 1,
                        .hits = 999'999'999 + i,
                        .misses = 999'999,
                        .frees = 999'999'999,
                        .refills = 999'999,
                        .flushes = 999'999,
                        .spans = 999'999,
                        .depot_objects = 999'999,
                        .peak_objects = 999'999,
                        .fresh_bytes = 9 * GiB + 1};
    }
    for (FallbackStats& forward : s.fallback_allocations) {
        forward = {.count = 999'999, .bytes = 999 * GiB + 1};
    }
    s.fallback_allocations[static_cast<size_t>(FallbackReason::no_region)] = {};  // a region exists
    s.wrong_sized_deletes = 999'999;
    s.finer_classes_after_ns = 999'000'000;
    s.guarded_live = s.guarded_in_quarantine = s.guard_reports = 999'999;
    s.region_in_use_bytes = s.region_free_dirty_bytes = s.metadata_bytes = s.purged_bytes = 999 * GiB + 1;
    s.fallback_bytes = s.peak_rss_bytes = 999 * GiB + 1;
    s.threads_live = s.threads_ended = 999'999;
    s.run_time_ns = 3'599'000'000'000;
    s.process_id = 4'194'303;
    s.pool_count = kMaxPoolNames;
    for (PoolStats& pool : s.pools) {
        pool = {.object_size = 1'023 * KiB,
                .pools = 999,
                .capacity = 999'999,
                .in_use = 999'999,
                .peak = 999'999,
                .gets = 999'999'999,
                .puts = 999'999'999,
                .exhausted = 999'999'999,
                .fallbacks = 999'999'999,
                .reuses = 999'999'999,
                .reused_bytes = 999 * GiB + 1,
                .growths = 999'999,
                .peak_capacity = 999'999,
                .demand = 999'999,
                .bytes = 999 * GiB + 1,
                .peak_bytes = 999 * GiB + 1,
                .hold_samples = 999'999,
                .hold_p50_ns = 10'000'000'000,
                .hold_p99_ns = 10'000'000'000,
                .hold_max_ns = 10'000'000'000,
                .long_holds = 999'999};
        memset(pool.name, 'n', sizeof pool.name - 1);
    }
    s.arena_count = kMaxArenaNames;
    for (ArenaStats& arena : s.arenas) {
        arena = {.arenas = 999'999,
                 .created = 999'999'999,
                 .bytes = 999 * GiB + 1,
                 .peak_bytes = 999 * GiB + 1,
                 .largest = 999 * GiB + 1,
                 .refused = 999'999};
        memset(arena.name, 'a', sizeof arena.name - 1);
    }
    memset(s.program, 'p', sizeof s.program - 1);
    return s;
}

}  // namespace hotlane
