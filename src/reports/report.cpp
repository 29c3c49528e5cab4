// SPDX-License-Identifier: MIT
//
// Chooses the format of a report, writes report files, and writes the warning about a low hit rate.
#include "reports/report.h"

#include "maintenance/tuning.h"
#include "platform/os.h"
#include "reports/output_file.h"
#include "text/units.h"

#include <cstring>

namespace hotlane {

namespace {

/// Returns the class with the most misses, or null when there were none.
const ClassStats* worst_class(const Snapshot& snapshot) {
    const ClassStats* worst = nullptr;
    for (size_t i = 1; i < snapshot.class_count; ++i) {
        const ClassStats& stats = snapshot.classes[i];
        if (stats.misses > (worst == nullptr ? 0 : worst->misses)) {
            worst = &stats;
        }
    }
    return worst;
}

/// Writes which option would help. Objects that the program keeps never return to a cache, so only a warm-up
/// can prepare them. If objects overflow a cache and are missed afterwards, the cache is too small for their
/// swing; it can grow until its slots run out. If nothing overflows, other threads free the objects.
void write_advice(Writer& out, const ClassStats& stats, const CacheLimits& limits) {
    if (stats.frees < stats.allocations() / 2) {
        out.text("try HOTLANE_WARMUP=").number(stats.object_size).text(":COUNT");
    } else if (stats.swing == 0) {
        out.text("no larger cache would help");
    } else if (limits.automatic || limits.bytes >= stats.object_size * tuning::kMostSlots) {
        out.text("caches are at their largest");
    } else {
        out.text("try HOTLANE_THREAD_CACHE=auto");
    }
}

/// Returns false when the report could not be written completely.
bool write_to(int fd, const Snapshot& snapshot, StatsFormat format) {
    Writer out{fd};
    write_report(out, snapshot, format);
    return out.flush();
}

}  // namespace

void write_report(Writer& out, const Snapshot& snapshot, StatsFormat format) {
    switch (format) {
    case StatsFormat::off:
        return;
    case StatsFormat::text:
        write_text_report(out, snapshot);
        return;
    case StatsFormat::json:
        write_json_report(out, snapshot);
        return;
    case StatsFormat::prometheus:
        write_prometheus_report(out, snapshot);
        return;
    }
}

bool write_hit_alarm(Writer& out, const Snapshot& snapshot, double alarm_percent, const CacheLimits& limits) {
    constexpr uint64_t kFewestRequests = 10'000;
    const ClassStats* worst = worst_class(snapshot);
    const double percent = snapshot.hit_rate_percent();
    if (worst == nullptr || snapshot.allocations() < kFewestRequests || percent >= alarm_percent) {
        return false;
    }
    const bool whole = alarm_percent == static_cast<double>(static_cast<unsigned>(alarm_percent));
    out.text("hotlane: alarm    under ").fixed(alarm_percent, whole ? 0 : 2).text(" % hits: ");
    write_grouped_count(out, worst->object_size);
    out.text(" B missed ");
    write_rounded_count(out, worst->misses);
    out.text(" of ");
    write_rounded_count(out, worst->allocations());
    out.text("; ");
    write_advice(out, *worst, limits);
    out.text("\n");
    return true;
}

void write_pool_alarms(Writer& out, const Snapshot& snapshot, double alarm_percent) {
    constexpr uint64_t kFewestRequests = 100;
    constexpr size_t kLongestName = 24;
    constexpr int kMostLines = 4;
    constexpr double kBillionthsPerPercent = 1e7;
    int lines = 0;
    for (size_t i = 0; i < snapshot.pool_count && lines != kMostLines; ++i) {
        const PoolStats& pool = snapshot.pools[i];
        const uint64_t requests = pool.gets + pool.exhausted;
        const auto percent =
            static_cast<double>(share_in_billionths(pool.gets, requests)) / kBillionthsPerPercent;
        if (requests < kFewestRequests || percent >= alarm_percent) {
            continue;
        }
        out.text("hotlane: alarm    pool \"").shown({pool.name, strlen(pool.name)}, kLongestName);
        out.text("\" hit ").fixed(percent, 2).text(" %; it needs a capacity of ");
        write_grouped_count(out, pool.demand);
        out.text(pool.exhausted != pool.fallbacks ? " or more\n" : "\n");
        ++lines;
    }
}

bool write_report_file(const char* pattern, const Snapshot& snapshot, StatsFormat format) {
    char path[Config::kPathCapacity];
    const std::string_view program{snapshot.program, strnlen(snapshot.program, sizeof snapshot.program)};
    const NameFields fields{.process_id = snapshot.process_id, .program = program};
    if (!expand_path(pattern, fields, path, sizeof path)) {
        message("the name of the statistics file is too long: ", pattern);
        return false;
    }
    OutputFile file(path);
    const bool written = file.descriptor() >= 0 && write_to(file.descriptor(), snapshot, format);
    if (!file.finish(written)) {
        message("cannot write the statistics to ", path, ": ", file.problem());
        return false;
    }
    return true;
}

}  // namespace hotlane
