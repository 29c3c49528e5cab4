// SPDX-License-Identifier: MIT
//
// Makes the rows of the table of processes.
#include "cli/live/process_table.h"

#include "cli/live/process_facts.h"
#include "cli/text/quantity.h"
#include "cli/text/shown_text.h"

namespace hotlane::cli {

namespace {

constexpr size_t kPidWidth = 8;
constexpr size_t kProgramWidth = 18;
constexpr size_t kWidth = 10;

std::string left(const std::string& text, size_t width) {
    const std::string cut = cut_text(text, width - 1);
    return cut + std::string(width > cut.size() ? width - cut.size() : 0, ' ');
}

std::string right(const std::string& text, size_t width) {
    return std::string(width > text.size() ? width - text.size() : 0, ' ') + text;
}

uint64_t grown(uint64_t before, uint64_t now) { return now > before ? now - before : 0; }

}  // namespace

Rates rates_between(const live::Counters* before, const live::Counters& now) {
    static const live::Counters none{};
    const live::Counters& from = before != nullptr ? *before : none;
    const uint64_t ns = before != nullptr ? grown(before->time_ns, now.time_ns) : now.snapshot.run_time_ns;
    const double seconds = static_cast<double>(ns) / 1e9;
    const uint64_t hits = grown(from.snapshot.hits(), now.snapshot.hits());
    const uint64_t misses = grown(from.snapshot.misses(), now.snapshot.misses());
    const auto rate = [seconds](uint64_t count) {
        return seconds > 0 ? static_cast<double>(count) / seconds : 0.0;
    };
    return {.requests = rate(hits + misses),
            .frees = rate(grown(from.snapshot.frees(), now.snapshot.frees())),
            .misses = rate(misses),
            .hit_billionths = share_in_billionths(hits, hits + misses)};
}

std::string table_heading() {
    return left("PID", kPidWidth) + left("PROGRAM", kProgramWidth) + right("REQUESTS/S", kWidth + 1) +
           right("HITS", kWidth) + right("LIVE", kWidth) + right("RSS", kWidth) + right("THREADS", kWidth) +
           right("RUNS FOR", kWidth + 1) + "  PROFILE";
}

std::string table_row(const Published& process, const Rates& rates) {
    const Snapshot& snapshot = process.snapshot();
    const uint64_t resident = process.in_this_namespace ? resident_bytes(process.process) : 0;
    constexpr int64_t kBillion = 1'000'000'000;
    return left(std::to_string(process.process), kPidWidth) +
           left(shown_text(snapshot.program), kProgramWidth) +
           right(count_text(static_cast<int64_t>(rates.requests)), kWidth + 1) +
           right(share_text(static_cast<int64_t>(rates.hit_billionths), kBillion), kWidth) +
           right(size_text(static_cast<int64_t>(snapshot.live_bytes() + snapshot.fallback_bytes)), kWidth) +
           right(resident != 0 ? size_text(static_cast<int64_t>(resident)) : "-", kWidth) +
           right(count_text(static_cast<int64_t>(snapshot.threads_live)), kWidth) +
           right(duration_text(static_cast<int64_t>(snapshot.run_time_ns)), kWidth + 1) +
           (process.counters->profile_period != 0 ? "  running" : "  -");
}

}  // namespace hotlane::cli
