// SPDX-License-Identifier: MIT
//
// Writes the report for people: a heading, tables of size classes, bounded pools and arenas, and one line each
// for fallback_allocations and memory.
#include "reports/report.h"
#include "stats/metrics.h"
#include "text/units.h"

#include <algorithm>
#include <cstring>

namespace hotlane {

namespace {

constexpr std::string_view kPrefix = "hotlane: ";
constexpr size_t kSizeWidth = 9;
/// The other lines of the report and these are 24 together. Lines for pools, arenas, labels and guarded objects
/// reduce the number of classes.
constexpr size_t kMostClasses = 15;
/// Lines for the tables of pools and arenas together.
constexpr size_t kMostOfTables = 10;
constexpr size_t kMostArenas = 2;
constexpr size_t kLongestName = 24;

size_t column_width(const Metric& metric) {
    constexpr size_t kWidth = 9;
    return metric.unit == MetricUnit::billionths ? kWidth + 1 : std::max(kWidth, strlen(metric.column) + 1);
}

bool is_column(const Metric& metric, MetricScope scope, uint8_t table = 1) {
    return metric.scope == scope && metric.column[0] != '\0' && metric.table == table;
}

/// Writes "99.98 %", rounded down, so that "100.00 %" means all.
void write_share(Writer& out, uint64_t billionths, size_t width) {
    char text[32];
    Writer share{text, sizeof text};
    const uint64_t hundredths = billionths / 100'000;
    const uint64_t rest = hundredths % 100;
    share.number(hundredths / 100).text(rest < 10 ? ".0" : ".").number(rest).text(" %");
    out.right({text, share.bytes_written()}, width);
}

void write_heading(Writer& out, const Snapshot& snapshot) {
    out.text(kPrefix).shown({snapshot.program, strnlen(snapshot.program, sizeof snapshot.program)},
                            kLongestName);
    out.text(" (pid ");
    out.signed_number(snapshot.process_id).text("): ");
    if (snapshot.allocations() == 0) {
        out.text("no requests, ");
    } else {
        write_grouped_count(out, snapshot.allocations());
        out.text(" requests, ");
        write_share(out, share_in_billionths(snapshot.hits(), snapshot.allocations()), 0);
        out.text(" hits, ");
    }
    write_rounded_duration(out, snapshot.run_time_ns);
    out.text("\n");
}

void write_labels(Writer& out, const Snapshot& snapshot) {
    constexpr size_t kMost = 80;
    if (!snapshot.label_list().empty()) {
        out.text(kPrefix).text("labels   ").shown(snapshot.label_list(), kMost).text("\n");
    }
}

void write_column_names(Writer& out, MetricScope scope, std::string_view of, size_t width,
                        uint8_t table = 1) {
    out.text(kPrefix).right(of, width);
    for (const Metric& metric : metrics()) {
        if (is_column(metric, scope, table)) {
            out.right(metric.column, column_width(metric));
        }
    }
    out.text("\n");
}

/// Writes a row of the table. A row for several classes omits the values that cannot be added.
void write_row(Writer& out, std::string_view name, const ClassStats& stats, bool several) {
    out.text(kPrefix).right(name, kSizeWidth);
    for (const Metric& metric : metrics()) {
        const size_t width = column_width(metric);
        if (!is_column(metric, MetricScope::size_class)) {
            continue;
        }
        if (metric.unit == MetricUnit::billionths) {
            write_share(out, class_metric_value(metric, stats), width);
        } else if (several && !metric.additive) {
            out.right("-", width);
        } else {
            write_rounded_count(out, class_metric_value(metric, stats), width);
        }
    }
    out.text("\n");
}

/// The used classes, those with the most requests first.
struct Order {
    explicit Order(const Snapshot& snapshot) {
        for (size_t i = 1; i < snapshot.class_count; ++i) {
            if (snapshot.classes[i].used()) {
                insert(snapshot, static_cast<ClassIndex>(i));
            }
        }
    }
    void insert(const Snapshot& snapshot, ClassIndex added) {
        size_t place = count++;
        for (; place > 0; --place) {
            const ClassIndex before = classes[place - 1];
            if (snapshot.classes[before].allocations() >= snapshot.classes[added].allocations()) {
                break;
            }
            classes[place] = before;
        }
        classes[place] = added;
    }

    size_t count = 0;
    ClassIndex classes[kMaxClasses];
};

/// How many tables the pools have: the third one is about times, if any were measured.
uint8_t pool_tables(const Snapshot& snapshot) {
    const auto is_timed = [](const PoolStats& stats) { return stats.hold_samples != 0; };
    return std::any_of(snapshot.pools, snapshot.pools + snapshot.pool_count, is_timed) ? 3 : 2;
}

size_t lines_of_arenas(const Snapshot& snapshot) {
    return snapshot.arena_count == 0 ? 0 : 1 + std::min(snapshot.arena_count, kMostArenas);
}

/// The most rows of a table of pools.
size_t most_pools(const Snapshot& snapshot) {
    return (kMostOfTables - lines_of_arenas(snapshot)) / pool_tables(snapshot) - 1;
}

size_t lines_of_pools(const Snapshot& snapshot) {
    return snapshot.pool_count == 0
               ? 0
               : pool_tables(snapshot) * (1 + std::min(snapshot.pool_count, most_pools(snapshot)));
}

const FallbackStats& guarded(const Snapshot& snapshot) {
    return snapshot.fallback_allocations[static_cast<size_t>(FallbackReason::guarded)];
}

void write_table(Writer& out, const Snapshot& snapshot) {
    const Order order{snapshot};
    const size_t most = kMostClasses - lines_of_pools(snapshot) - lines_of_arenas(snapshot) -
                        (snapshot.label_list().empty() ? 0 : 1) - (guarded(snapshot).count != 0 ? 1 : 0);
    // If one class is left over, it gets the line that would say "1 more".
    const size_t shown = order.count <= most + 1 ? order.count : most;
    ClassStats rest;
    ClassStats all;
    if (order.count == 0) {
        return;
    }
    write_column_names(out, MetricScope::size_class, "size", kSizeWidth);
    for (size_t i = 0; i < order.count; ++i) {
        const ClassStats& stats = snapshot.classes[order.classes[i]];
        char name[24];
        Writer text{name, sizeof name};
        write_grouped_count(text, stats.object_size);
        text.text(" B");
        if (i < shown) {
            write_row(out, {name, text.bytes_written()}, stats, false);
        } else {
            rest += stats;
        }
        all += stats;
    }
    if (shown < order.count) {
        char name[24];
        Writer text{name, sizeof name};
        text.number(order.count - shown).text(" more");
        write_row(out, {name, text.bytes_written()}, rest, true);
    }
    write_row(out, "all", all, true);
}

void write_named_value(Writer& out, const Metric& metric, uint64_t value) {
    const size_t width = column_width(metric);
    switch (metric.unit) {
    case MetricUnit::count:
        write_rounded_count(out, value, width);
        return;
    case MetricUnit::bytes:
        write_rounded_size(out, value, width);
        return;
    case MetricUnit::nanoseconds:
        if (value == 0) {
            out.right("-", width);  // nothing was measured
        } else {
            write_rounded_duration(out, value, width);
        }
        return;
    case MetricUnit::billionths:
        write_share(out, value, width);
        return;
    }
}

/// A name as Writer::shown() writes it, at most as long as its column.
class ShownName {
  public:
    explicit ShownName(const char* name) : out_{text_, sizeof text_} { out_.shown(name, kLongestName); }
    std::string_view view() const { return {text_, out_.bytes_written()}; }

  private:
    char text_[kLongestName];
    Writer out_;
};

/// A table of pools or arenas by name, in the order in which the names were created. Names beyond the last line
/// are added up.
template <class Stats>
struct NamedTable {
    MetricScope scope;
    std::string_view heading;
    const Stats* rows;
    size_t count;
    size_t most_lines;
    size_t name_width = kSizeWidth;

    size_t shown() const { return count <= most_lines ? count : most_lines - 1; }

    void fit_names() {
        for (size_t i = 0; i < shown(); ++i) {
            name_width = std::max(name_width, ShownName{rows[i].name}.view().size());
        }
    }

    /// Writes a row: the sum of the names from `first` to `last`.
    void write_row(Writer& out, const Snapshot& snapshot, uint8_t table, std::string_view name, size_t first,
                   size_t last) const {
        out.text(kPrefix).right(name, name_width);
        for (const Metric& metric : metrics()) {
            if (!is_column(metric, scope, table)) {
                continue;
            }
            uint64_t value = 0;
            for (size_t i = first; i <= last; ++i) {
                value += metric_value(metric, snapshot, i);
            }
            if (first != last && !metric.additive) {
                out.right("-", column_width(metric));
            } else {
                write_named_value(out, metric, value);
            }
        }
        out.text("\n");
    }

    void write(Writer& out, const Snapshot& snapshot, uint8_t table) const {
        write_column_names(out, scope, heading, name_width, table);
        for (size_t i = 0; i < shown(); ++i) {
            write_row(out, snapshot, table, ShownName{rows[i].name}.view(), i, i);
        }
        if (shown() < count) {
            char name[24];
            Writer text{name, sizeof name};
            text.number(count - shown()).text(" more");
            write_row(out, snapshot, table, {name, text.bytes_written()}, shown(), count - 1);
        }
    }
};

void write_pools(Writer& out, const Snapshot& snapshot) {
    NamedTable<PoolStats> pools{MetricScope::pool, "pool", snapshot.pools, snapshot.pool_count,
                                most_pools(snapshot)};
    pools.fit_names();
    for (uint8_t table = 1; snapshot.pool_count != 0 && table <= pool_tables(snapshot); ++table) {
        pools.write(out, snapshot, table);
    }
}

void write_arenas(Writer& out, const Snapshot& snapshot) {
    NamedTable<ArenaStats> arenas{MetricScope::arena, "arena", snapshot.arenas, snapshot.arena_count,
                                  kMostArenas};
    arenas.fit_names();
    if (snapshot.arena_count != 0) {
        arenas.write(out, snapshot, 1);
    }
}

void write_fallback_allocations(Writer& out, const Snapshot& snapshot) {
    out.text(kPrefix).text("fallback ");
    if (snapshot.fallback_count() == 0) {
        out.text("none\n");
        return;
    }
    write_rounded_count(out, snapshot.fallback_count());
    out.text(", ");
    write_rounded_size(out, snapshot.fallback_request_bytes());
    const char* separator = ": ";
    for (size_t i = 0; i < kFallbackReasons; ++i) {
        // Guarded objects have a line of their own.
        if (snapshot.fallback_allocations[i].count != 0 &&
            &snapshot.fallback_allocations[i] != &guarded(snapshot)) {
            write_rounded_count(out.text(separator), snapshot.fallback_allocations[i].count);
            out.text(" ").text(kFallbackReasonNames[i]);
            separator = ", ";
        }
    }
    out.text("\n");
}

void write_guards(Writer& out, const Snapshot& snapshot) {
    if (guarded(snapshot).count == 0) {
        return;
    }
    out.text(kPrefix).text("guards   ");
    write_rounded_count(out, guarded(snapshot).count);
    write_rounded_count(out.text(" objects, "), snapshot.guarded_live);
    write_rounded_count(out.text(" live, "), snapshot.guarded_in_quarantine);
    write_rounded_count(out.text(" in quarantine, "), snapshot.guard_reports);
    out.text(" mistakes\n");
}

void write_memory(Writer& out, const Snapshot& snapshot) {
    out.text(kPrefix).text("memory   ");
    write_rounded_size(out, snapshot.live_bytes());
    write_rounded_size(out.text(" live in "), snapshot.region_in_use_bytes);
    write_rounded_size(out.text(" of pages, "), snapshot.region_free_dirty_bytes);
    write_rounded_size(out.text(" free, "), snapshot.metadata_bytes);
    write_rounded_size(out.text(" metadata, "), snapshot.purged_bytes);
    out.text(" purged\n");
}

void write_process(Writer& out, const Snapshot& snapshot) {
    out.text(kPrefix).text("process  peak RSS ");
    write_rounded_size(out, snapshot.peak_rss_bytes);
    write_rounded_size(out.text(", fresh "), snapshot.fresh_bytes());
    write_rounded_size(out.text(", fallback "), snapshot.fallback_bytes);
    write_rounded_count(out.text(", threads "), snapshot.threads_live);
    write_rounded_count(out.text(", "), snapshot.threads_ended);
    out.text(" ended\n");
}

void write_notes(Writer& out, const Snapshot& snapshot) {
    const bool is_refined = snapshot.finer_classes_after_ns != 0;
    if (snapshot.wrong_sized_deletes == 0 && !is_refined) {
        return;
    }
    out.text(kPrefix).text("notes    ");
    if (snapshot.wrong_sized_deletes != 0) {
        write_rounded_count(out, snapshot.wrong_sized_deletes);
        out.text(" deletes with a wrong size").text(is_refined ? ", " : "");
    }
    if (is_refined) {
        write_rounded_duration(out.text("finer size classes after "), snapshot.finer_classes_after_ns);
    }
    out.text("\n");
}

}  // namespace

void write_text_report(Writer& out, const Snapshot& snapshot) {
    write_heading(out, snapshot);
    write_labels(out, snapshot);
    write_table(out, snapshot);
    write_pools(out, snapshot);
    write_arenas(out, snapshot);
    write_fallback_allocations(out, snapshot);
    write_guards(out, snapshot);
    write_memory(out, snapshot);
    write_process(out, snapshot);
    write_notes(out, snapshot);
}

}  // namespace hotlane
