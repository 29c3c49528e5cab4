// SPDX-License-Identifier: MIT
//
// Looks at processes again and again, and writes what changed.
#include "cli/live/top_view.h"

#include "cli/analysis/site_table.h"
#include "cli/live/process_facts.h"
#include "cli/profile/reader.h"
#include "cli/symbols/symboliser.h"
#include "cli/text/quantity.h"
#include "cli/text/shown_text.h"

#include <algorithm>
#include <sstream>

namespace hotlane::cli {

namespace {

constexpr int64_t kBillion = 1'000'000'000;

std::string bytes(uint64_t count) { return size_text(static_cast<int64_t>(count)); }
std::string count(double number) { return count_text(static_cast<int64_t>(number)); }
std::string share(uint64_t billionths) { return share_text(static_cast<int64_t>(billionths), kBillion); }

std::string right(const std::string& text, size_t width) {
    return std::string(width > text.size() ? width - text.size() : 0, ' ') + text;
}

/// A line of names and values in columns.
std::string figures(const std::vector<std::pair<const char*, std::string>>& all) {
    constexpr size_t kValueWidth = 11;
    std::string line;
    for (const auto& [name, value] : all) {
        line += std::string(line.empty() ? 0 : 3, ' ') + name + right(value, kValueWidth);
    }
    return line;
}

/// The rates of one class.
struct ClassRow {
    const ClassStats* now;
    double requests;  // for each second
    double misses;
    uint64_t live_bytes;
};

std::vector<ClassRow> class_rows(const Watched& process) {
    const Snapshot& now = process.now.snapshot();
    const Rates all = process.rates();
    const uint64_t requests =
        now.allocations() - (process.before ? process.before->snapshot.allocations() : 0);
    const double seconds = all.requests > 0 ? static_cast<double>(requests) / all.requests : 1.0;
    std::vector<ClassRow> rows;
    for (size_t c = 1; c < now.class_count; ++c) {
        const ClassStats none{};
        const ClassStats& before = process.before ? process.before->snapshot.classes[c] : none;
        const ClassStats& stats = now.classes[c];
        if (stats.used()) {
            rows.push_back({&stats, static_cast<double>(stats.allocations() - before.allocations()) / seconds,
                            static_cast<double>(stats.misses - before.misses) / seconds,
                            stats.live() * stats.object_size});
        }
    }
    std::ranges::sort(rows, [](const ClassRow& a, const ClassRow& b) {
        return a.requests != b.requests ? a.requests > b.requests : a.live_bytes > b.live_bytes;
    });
    return rows;
}

std::string class_line(const ClassRow& row) {
    constexpr size_t kWidth = 13;
    const double hits = row.requests > 0 ? 1.0 - row.misses / row.requests : 1.0;
    return right(count_text(static_cast<int64_t>(row.now->object_size)), kWidth) +
           right(count(row.requests), kWidth) +
           right(share(static_cast<uint64_t>(std::clamp(hits, 0.0, 1.0) * 1e9)), kWidth) +
           right(count(row.misses), kWidth) + right(count(static_cast<double>(row.now->live())), kWidth) +
           right(bytes(row.live_bytes), kWidth);
}

std::vector<std::string> site_lines(const LiveDirectory& live, int64_t process, size_t width) {
    constexpr size_t kRows = 8;
    std::vector<std::string> lines;
    try {
        Symboliser symboliser{[](size_t /*done*/, size_t /*all*/) {}};
        TableView view;
        view.most_rows = kRows;
        view.width = width;
        std::istringstream table{
            site_table(symboliser.symbolise(parse_dump(live.dump(process), "dump")), view)};
        for (std::string line; std::getline(table, line);) {
            lines.push_back(line);
        }
    } catch (const std::exception& error) {
        lines.emplace_back(error.what());
    }
    return lines;
}

}  // namespace

void Watch::look() {
    std::map<std::string, Watched> before;
    before.swap(known_);
    for (Published& now : live_.read_all()) {
        Watched watched{std::move(now), nullptr};
        if (const auto old = before.find(watched.now.name); old != before.end()) {
            const bool is_new = old->second.now.counters->time_ns != watched.now.counters->time_ns;
            watched.before = is_new ? std::move(old->second.now.counters) : std::move(old->second.before);
        }
        known_.emplace(watched.now.name, std::move(watched));
    }
    order_.clear();
    for (const auto& [name, watched] : known_) {
        order_.push_back(&watched);
    }
    std::ranges::stable_sort(order_, std::greater{},
                             [](const Watched* one) { return one->rates().requests; });
}

const Watched* Watch::find(int64_t process) const {
    const auto found = known_.find(std::to_string(process));
    return found == known_.end() ? nullptr : &found->second;
}

const std::vector<std::string>& TopSites::look(int64_t process, size_t width) {
    constexpr std::chrono::seconds kPause{5};
    using std::chrono::steady_clock;
    if (next_.valid() && next_.wait_for(std::chrono::seconds{0}) == std::future_status::ready) {
        lines_ = next_.get();
        due_ = steady_clock::now() + kPause;
    } else if (!next_.valid() && (lines_.empty() || steady_clock::now() >= due_)) {
        next_ = std::async(std::launch::async, site_lines, std::cref(live_), process, width);
    }
    return lines_;
}

std::vector<std::string> process_lines(const Watched& process, size_t most_classes) {
    const Snapshot& now = process.now.snapshot();
    const Rates rates = process.rates();
    const uint64_t resident = process.now.in_this_namespace ? resident_bytes(process.now.process) : 0;
    std::vector<std::string> lines{
        shown_text(now.program) + " (pid " + std::to_string(process.now.process) + "), running for " +
            duration_text(static_cast<int64_t>(now.run_time_ns)) + ", " +
            counted(static_cast<int64_t>(now.threads_live), "thread") +
            (process.now.counters->profile_period != 0
                 ? ", profile: one sample in " +
                       size_text(static_cast<int64_t>(process.now.counters->profile_period))
                 : ""),
        "",
        figures({{"requests/s", count(rates.requests)},
                 {"frees/s", count(rates.frees)},
                 {"misses/s", count(rates.misses)},
                 {"hits", share(rates.hit_billionths)}}),
        figures({{"live      ", bytes(now.live_bytes() + now.fallback_bytes)},
                 {"RSS    ", resident != 0 ? bytes(resident) : "-"},
                 {"peak RSS", bytes(now.peak_rss_bytes)},
                 {"free", bytes(now.region_free_dirty_bytes)}}),
        figures({{"fallback  ", bytes(now.fallback_bytes)},
                 {"pages  ", bytes(now.region_in_use_bytes)},
                 {"purged  ", bytes(now.purged_bytes)},
                 {"meta", bytes(now.metadata_bytes)}}),
        "",
        "        class   requests/s         hits     misses/s live objects         live"};
    const std::vector<ClassRow> rows = class_rows(process);
    for (size_t i = 0; i < std::min(rows.size(), most_classes); ++i) {
        lines.push_back(class_line(rows[i]));
    }
    return lines;
}

}  // namespace hotlane::cli
