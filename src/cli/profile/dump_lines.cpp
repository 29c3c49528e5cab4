// SPDX-License-Identifier: MIT
//
// Parses the lines of a dump from words and numbers.
#include "cli/profile/dump_lines.h"

#include "cli/text/shown_text.h"

#include <initializer_list>

namespace hotlane::cli {

namespace {

constexpr int kBuckets = 64;  // of lifetimes, by log2

bool read_numbers(TextCursor& word, std::initializer_list<int64_t*> numbers) {
    const char* between = "=";
    for (int64_t* number : numbers) {
        if (!word.literal(between) || !word.number(*number)) {
            return false;
        }
        between = ",";
    }
    return word.at_end();
}

/// Reads "=20:64,21:3", or "=-" for none.
bool read_lifetimes(TextCursor& word, std::map<int, int64_t>& lifetimes) {
    if (!word.literal("=")) {
        return false;
    }
    if (word.rest() == "-") {
        return true;
    }
    do {
        int log2_ns = 0;
        int64_t objects = 0;
        if (!word.number(log2_ns) || log2_ns >= kBuckets || !word.literal(":") || !word.number(objects)) {
            return false;
        }
        lifetimes[log2_ns] = add_clamped(lifetimes[log2_ns], objects);
    } while (word.literal(","));
    return word.at_end();
}

}  // namespace

bool read_site(TextCursor line, Dump::Entry& entry, bool& has_peak) {
    AllocationTotals& totals = entry.totals;
    totals = {};
    bool live = false;
    bool total = false;
    for (line.spaces(); !line.at_end(); line.spaces()) {
        TextCursor word{line.word()};
        bool good = true;
        if (word.literal("live")) {
            live = good =
                read_numbers(word, {&totals.live.objects, &totals.live.bytes, &totals.live.requested});
        } else if (word.literal("total")) {
            AllocationTotals::Amount& all = totals.cumulative;
            total = good = read_numbers(word, {&all.objects, &all.bytes, &all.requested});
        } else if (word.literal("peak")) {
            AllocationTotals::Amount& peak = totals.peak;
            has_peak = good = read_numbers(word, {&peak.objects, &peak.bytes, &peak.requested});
        } else if (word.literal("temporary")) {
            good = read_numbers(word, {&totals.temporary.objects, &totals.temporary.bytes});
        } else if (word.literal("remote")) {
            good = read_numbers(word, {&totals.remote.objects, &totals.remote.bytes});
        } else if (word.literal("size")) {
            good = read_numbers(word, {&entry.object_size});
        } else if (word.literal("thread=")) {
            good = word.number(entry.thread) && word.at_end();
        } else if (word.literal("lifetimes")) {
            good = read_lifetimes(word, totals.lifetimes);
        }
        if (!good) {
            return false;
        }
    }
    return live && total;
}

bool read_thread(TextCursor line, std::map<uint32_t, std::string>& threads) {
    constexpr size_t kMostThreads = 4096;
    constexpr size_t kLongestName = 64;
    uint32_t number = 0;
    const bool good =
        line.number(number) && line.literal(" ") && !line.at_end() && threads.size() < kMostThreads;
    if (good) {
        threads[number] = cut_text(shown_text(line.rest()), kLongestName);
    }
    return good;
}

bool read_class(TextCursor line, std::map<int64_t, Profile::SizeClass>& classes) {
    int64_t size = 0;
    Profile::SizeClass counts;
    const bool good = line.number(size) && line.literal(" hits=") && line.number(counts.hits) &&
                      line.literal(" misses=") && line.number(counts.misses) && line.literal(" puts=") &&
                      line.number(counts.puts) && line.at_end();
    if (good) {
        classes[size] = counts;
    }
    return good;
}

bool read_size(TextCursor line, std::map<int64_t, Dump::RequestedSize>& sizes) {
    int64_t size = 0;
    Dump::RequestedSize row;
    const bool good = line.number(size) && size > 0 && line.literal(" requests=") &&
                      line.number(row.requests) && line.literal(" live=") && line.number(row.live) &&
                      line.literal(",") && line.number(row.live_bytes) && line.literal(" peak=") &&
                      line.number(row.peak) && line.literal(",") && line.number(row.peak_bytes) &&
                      line.literal(" early=") && line.number(row.early) && line.at_end();
    if (good) {
        sizes[size] = row;
    }
    return good;
}

bool read_point(TextCursor line, std::vector<TimePoint>& timeline) {
    TimePoint point;
    const bool good = line.number(point.at_ns) && line.literal(" live=") && line.number(point.live_bytes) &&
                      line.literal(" rss=") && line.number(point.resident_bytes) &&
                      line.literal(" requests=") && line.number(point.requests) && line.literal(" misses=") &&
                      line.number(point.misses) && line.at_end();
    const bool in_order = timeline.empty() || timeline.back().at_ns <= point.at_ns;
    if (good && in_order) {
        timeline.push_back(point);
    }
    return good && in_order;
}

}  // namespace hotlane::cli
