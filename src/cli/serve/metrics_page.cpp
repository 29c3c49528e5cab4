// SPDX-License-Identifier: MIT
//
// Writes the families of series. Each family is in one place, with the series of all processes.
#include "cli/serve/metrics_page.h"

#include "cli/live/process_facts.h"
#include "options/labels.h"
#include "stats/metrics.h"

namespace hotlane::cli {

namespace {

std::string label_text(std::string_view name, std::string_view value) {
    char memory[2048];
    Writer out{memory, sizeof memory};
    out.text(name).text("=").label_value(value);
    return {memory, out.bytes_written()};
}

bool has_label(std::string_view list, std::string_view name) {
    while (!list.empty()) {
        if (take_label(list).name == name) {
            return true;
        }
    }
    return false;
}

/// The labels of all series of a process: who it is, where it runs, and HOTLANE_LABELS, which win.
std::string labels_of(const Published& process) {
    const Snapshot& snapshot = process.snapshot();
    std::string labels = label_text("program", snapshot.program);
    labels.append(",").append(label_text("pid", std::to_string(process.process)));
    const std::string group = process.in_this_namespace ? control_group(process.process) : "";
    const std::pair<const char*, std::string> places[] = {{"cgroup", group},
                                                          {"container", container_in(group)}};
    for (const auto& [name, value] : places) {
        if (!value.empty() && !has_label(snapshot.label_list(), name)) {
            labels.append(",").append(label_text(name, value));
        }
    }
    for (std::string_view rest = snapshot.label_list(); !rest.empty();) {
        const Label own = take_label(rest);
        labels.append(",").append(label_text(own.name, own.value));
    }
    return labels;
}

void write_series(std::string& out, const Metric& metric, std::string_view own, const std::string& labels,
                  uint64_t value) {
    char digits[64];
    Writer number{digits, sizeof digits};
    write_metric_value(number, metric, value);
    out.append(metric.series).append("{").append(own).append(labels).append("} ");
    out.append(digits, number.bytes_written()).append("\n");
}

/// Writes the series of one process.
void write_process(std::string& out, const Metric& metric, const Snapshot& snapshot,
                   const std::string& labels) {
    const auto write_own = [&](const char* name, std::string_view value, size_t index) {
        write_series(out, metric, label_text(name, value).append(","), labels,
                     metric_value(metric, snapshot, index));
    };
    switch (metric.scope) {
    case MetricScope::size_class:
        for (size_t c = 1; c < snapshot.class_count; ++c) {
            if (snapshot.classes[c].used()) {
                write_own("class", std::to_string(snapshot.classes[c].object_size), c);
            }
        }
        return;
    case MetricScope::fallback_allocation:
        for (size_t i = 0; i < kFallbackReasons; ++i) {
            write_own("reason", kFallbackReasonNames[i], i);
        }
        return;
    case MetricScope::pool:
        for (size_t i = 0; i < snapshot.pool_count; ++i) {
            write_own("pool", snapshot.pools[i].name, i);
        }
        return;
    case MetricScope::arena:
        for (size_t i = 0; i < snapshot.arena_count; ++i) {
            write_own("arena", snapshot.arenas[i].name, i);
        }
        return;
    default:
        write_series(out, metric, "", labels, metric_value(metric, snapshot));
    }
}

}  // namespace

MetricsPage::MetricsPage(std::vector<Published> processes, MetricsFormat format)
    : processes_{std::move(processes)}, format_{format} {
    for (const Published& process : processes_) {
        labels_.push_back(labels_of(process));
    }
}

const char* MetricsPage::content_type(MetricsFormat format) {
    return format == MetricsFormat::openmetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                                : "text/plain; version=0.0.4; charset=utf-8";
}

/// In OpenMetrics, the name of a counter's family lacks the suffix that its series have.
void MetricsPage::write_heading(std::string& out, std::string_view series, std::string_view help,
                                bool is_counter) const {
    constexpr std::string_view kSuffix = "_total";
    if (format_ == MetricsFormat::openmetrics && is_counter && series.ends_with(kSuffix)) {
        series.remove_suffix(kSuffix.size());
    }
    out.append("# HELP ").append(series).append(" ").append(help).append("\n# TYPE ").append(series);
    out.append(is_counter ? " counter\n" : " gauge\n");
}

void MetricsPage::write_process_info(std::string& out) const {
    write_heading(out, "hotlane_process_info", "The process that these numbers are of.", false);
    for (const std::string& labels : labels_) {
        out.append("hotlane_process_info{").append(labels).append("} 1\n");
    }
}

/// Returns false if the row has no series.
bool MetricsPage::write_family(std::string& out, size_t row) const {
    const Metric& metric = metrics()[row];
    if (metric.series[0] == '\0') {
        return false;
    }
    write_heading(out, metric.series, metric.help, metric.type == MetricType::counter);
    for (size_t i = 0; i < processes_.size(); ++i) {
        write_process(out, metric, processes_[i].snapshot(), labels_[i]);
    }
    return true;
}

std::string MetricsPage::next() {
    std::string out;
    if (next_ == 0) {
        write_process_info(out);
    }
    while (next_ < metrics().size() && !write_family(out, next_++)) {
    }
    if (next_ == metrics().size()) {
        ++next_;
        out += format_ == MetricsFormat::openmetrics ? "# EOF\n" : "";
    }
    return out;
}

}  // namespace hotlane::cli
