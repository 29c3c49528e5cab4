// SPDX-License-Identifier: MIT
//
// glibc's functions for information about malloc, answered from our counters: mallinfo, malloc_stats and
// malloc_info. Also malloc_trim and mallopt.
#include "export.h"
#include "malloc/allocator.h"
#include "reports/report.h"
#include "stats/snapshot.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <malloc.h>
#include <unistd.h>

using namespace hotlane;

namespace {

struct mallinfo2 information() {
    const SharedSnapshot snapshot;
    struct mallinfo2 info {};
    size_t live_bytes = 0;
    for (ClassIndex c = 1; c < snapshot->class_count; ++c) {
        const ClassStats& stats = snapshot->classes[c];
        live_bytes += stats.live() * stats.object_size;
        info.ordblks += stats.depot_objects;
    }
    info.arena = snapshot->region_in_use_bytes + snapshot->region_free_dirty_bytes;
    info.hblkhd = snapshot->fallback_bytes;
    info.hblks = snapshot->fallback_count() - snapshot->fallback_frees;
    info.uordblks = live_bytes + snapshot->fallback_bytes;
    info.fordblks = info.arena - std::min(info.arena, live_bytes);
    info.keepcost = snapshot->region_free_dirty_bytes;
    return info;
}

/// The old structure, whose fields are too narrow. They are clamped to INT_MAX instead of wrapping.
struct mallinfo narrow_information() {
    const auto clamp = [](size_t n) { return static_cast<int>(std::min<size_t>(n, INT_MAX)); };
    const struct mallinfo2 wide = information();
    struct mallinfo info {};
    info.arena = clamp(wide.arena);
    info.ordblks = clamp(wide.ordblks);
    info.hblks = clamp(wide.hblks);
    info.hblkhd = clamp(wide.hblkhd);
    info.uordblks = clamp(wide.uordblks);
    info.fordblks = clamp(wide.fordblks);
    info.keepcost = clamp(wide.keepcost);
    return info;
}

}  // namespace

HOTLANE_EXPORT struct mallinfo2 mallinfo2() noexcept { return information(); }

HOTLANE_EXPORT struct mallinfo mallinfo() noexcept { return narrow_information(); }
HOTLANE_EXPORT struct mallinfo __libc_mallinfo() noexcept { return narrow_information(); }

HOTLANE_EXPORT void malloc_stats() noexcept {
    const SharedSnapshot snapshot;
    Writer out(STDERR_FILENO);
    write_text_report(out, *snapshot);
}

/// Writes XML like glibc's: a heap with its bins. `options` must be 0.
HOTLANE_EXPORT int malloc_info(int options, FILE* stream) noexcept {
    if (options != 0) {
        return EINVAL;
    }
    const SharedSnapshot snapshot;
    fprintf(stream, "<malloc version=\"hotlane-1\">\n<heap nr=\"0\">\n<sizes>\n");
    for (ClassIndex c = 1; c < snapshot->class_count; ++c) {
        const ClassStats& stats = snapshot->classes[c];
        if (stats.allocations() != 0) {
            fprintf(stream, "<size from=\"%zu\" to=\"%zu\" total=\"%zu\" count=\"%zu\"/>\n",
                    c == 1 ? size_t{1} : snapshot->classes[c - 1].object_size + 1, stats.object_size,
                    static_cast<size_t>(stats.live()) * stats.object_size, static_cast<size_t>(stats.live()));
        }
    }
    fprintf(stream, "</sizes>\n</heap>\n<total type=\"mmap\" count=\"%zu\" size=\"%zu\"/>\n",
            static_cast<size_t>(snapshot->fallback_count() - snapshot->fallback_frees),
            snapshot->fallback_bytes);
    fprintf(stream,
            "<system type=\"current\" size=\"%zu\"/>\n<system type=\"max\" size=\"%zu\"/>\n</malloc>\n",
            snapshot->region_committed_bytes + snapshot->fallback_bytes, snapshot->peak_rss_bytes);
    return 0;
}

/// Returns 1 if memory went back to the kernel. The padding is ignored, and nothing is kept.
HOTLANE_EXPORT int malloc_trim(size_t) noexcept { return purge_everything() != 0 ? 1 : 0; }

/// Ignores glibc's parameters. Returns success, because programs treat a refusal as an error.
HOTLANE_EXPORT int mallopt(int, int) noexcept { return 1; }
HOTLANE_EXPORT int __libc_mallopt(int, int) noexcept { return 1; }
