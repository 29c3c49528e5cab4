// SPDX-License-Identifier: MIT
//
// Tests the reports: the text literally, JSON with a parser, and Prometheus' format against its grammar.
#include "reports/report.h"

#include "snapshots.h"
#include "stats/metrics.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <map>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

namespace hotlane {
namespace {

std::string report(const Snapshot& snapshot, StatsFormat format) {
    static char memory[256 * KiB];
    Writer out{memory, sizeof memory};
    write_report(out, snapshot, format);
    EXPECT_TRUE(out.ok());
    return {memory, out.bytes_written()};
}

std::string alarm_line(const Snapshot& snapshot, double percent, const CacheLimits& limits = {}) {
    char memory[512];
    Writer out{memory, sizeof memory};
    const bool written = write_hit_alarm(out, snapshot, percent, limits);
    EXPECT_EQ(written, out.bytes_written() != 0);
    return {memory, out.bytes_written()};
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in{text};
    for (std::string line; std::getline(in, line);) {
        lines.push_back(line);
    }
    return lines;
}

TEST(TextReport, ToTheLetter) {
    EXPECT_EQ(report(small_snapshot(), StatsFormat::text),
              R"(hotlane: python3 (pid 4242): 20,124,458 requests, 99.98 % hits, 1.24 s
hotlane:      size   allocs    frees  hit rate   misses  refills  flushes    spans     live     peak
hotlane:  65,536 B  15.00 M  15.00 M   99.99 %        2        2        0        3        3        8
hotlane:      64 B  5.123 M  5.120 M   99.93 %    3,456    3,456    1,200       12    3,456   45,678
hotlane:     128 B    1,000    1,000   90.00 %      100      100       10        1        0       70
hotlane:       all  20.12 M  20.12 M   99.98 %    3,558    3,558    1,210       16    3,459        -
hotlane:      pool     size capacity   in use     peak     gets exhausted fallbacks
hotlane:    frames    4 KiB       16        4        9    1,004         6         5
hotlane:      pool  hit rate    saved   reused  growths  largest   demand most mem
hotlane:    frames   99.40 %      995  3.9 MiB        1       32       21  128 KiB
hotlane:      pool    timed held p50 held p99  longest long holds
hotlane:    frames      100   250 us   120 ms   130 ms          3
hotlane:     arena   arenas  created    bytes most mem  largest  refused
hotlane:   request        2       40  192 KiB    1 MiB  640 KiB        1
hotlane: fallback 14, 34 MiB: 12 large, 2 alignment
hotlane: memory   408 KiB live in 3 MiB of pages, 640 KiB free, 96 KiB metadata, 2 MiB purged
hotlane: process  peak RSS 45 MiB, fresh 3.0 MiB, fallback 3 MiB, threads 1, 3 ended
hotlane: notes    finer size classes after 250 ms
)");
}

TEST(TextReport, OfNothing) {
    Snapshot s;
    strcpy(s.program, "true");
    s.process_id = 7;
    s.run_time_ns = 900'000;
    EXPECT_EQ(report(s, StatsFormat::text), R"(hotlane: true (pid 7): no requests, 900 us
hotlane: fallback none
hotlane: memory   0 B live in 0 B of pages, 0 B free, 0 B metadata, 0 B purged
hotlane: process  peak RSS 0 B, fresh 0 B, fallback 0 B, threads 0, 0 ended
)");
}

TEST(TextReport, PoolsBeyondTheFourthAreAddedUp) {
    Snapshot s = snapshot_of_many_pools();
    s.pools[0].hold_samples = 0;
    s.arena_count = 0;
    const std::string text = report(s, StatsFormat::text);
    EXPECT_NE(text.find(R"(    3,459        -
hotlane:                     pool     size capacity   in use     peak     gets exhausted fallbacks
hotlane:                   frames    4 KiB       16        4        9    1,004         6         5
hotlane:                        b    128 B    1,000        1       10  1.000 M         0         0
hotlane: a name of thirty-one cha    256 B    2,000        2       20  2.000 M         0         0
hotlane:                   4 more        -   18,000       18        -  18.00 M         0         0
hotlane:                     pool  hit rate    saved   reused  growths  largest   demand most mem
hotlane:                   frames   99.40 %      995  3.9 MiB        1       32       21  128 KiB
hotlane:                        b  100.00 %        0      0 B        0        0        0      0 B
hotlane: a name of thirty-one cha  100.00 %        0      0 B        0        0        0      0 B
hotlane:                   4 more         -        0      0 B        0        -        -        -
hotlane: fallback)"),
              std::string::npos)
        << text;
}

TEST(TextReport, KeepsItsBoundsAtItsWidest) {
    const Snapshot s = widest_snapshot();
    std::vector<std::string> lines = lines_of(report(s, StatsFormat::text) + alarm_line(s, 99.95));
    EXPECT_EQ(lines.size(), 24U);
    for (const std::string& line : lines) {
        EXPECT_LE(line.size(), 100U) << line;
        EXPECT_EQ(line.find("hotlane: "), 0U) << line;
    }
    EXPECT_NE(lines[7].find("58 more"), std::string::npos) << lines[7];
    for (const size_t line : {10U, 12U, 14U}) {
        EXPECT_NE(lines[line].find("32 more"), std::string::npos) << lines[line];
    }
    EXPECT_NE(lines[17].find("15 more"), std::string::npos) << lines[17];
    EXPECT_EQ(lines[19],
              "hotlane: guards   999,999 objects, 999,999 live, 999,999 in quarantine, 999,999 mistakes");
}

TEST(TextReport, OneClassTooManyTakesTheLineThatWouldSaySo) {
    Snapshot s = widest_snapshot();
    s.pool_count = s.arena_count = 0;
    s.fallback_allocations[static_cast<size_t>(FallbackReason::guarded)] = {};
    s.class_count = 17;
    const std::string sixteen = report(s, StatsFormat::text);
    EXPECT_EQ(sixteen.find(" more "), std::string::npos);
    s.class_count = 18;
    const std::string seventeen = report(s, StatsFormat::text);
    EXPECT_NE(seventeen.find("hotlane:    2 more "), std::string::npos) << seventeen;
    EXPECT_EQ(lines_of(seventeen).size(), lines_of(sixteen).size());
}

TEST(TextReport, OnlyAllHitsAreAHundredPercent) {
    Snapshot s = small_snapshot();
    s.class_count = 2;
    s.classes[1].hits = 1'000'000'000;
    s.classes[1].misses = 1;
    EXPECT_NE(report(s, StatsFormat::text).find(" 99.99 % hits"), std::string::npos);
    s.classes[1].misses = 0;
    EXPECT_NE(report(s, StatsFormat::text).find(" 100.00 % hits"), std::string::npos);
}

TEST(JsonReport, HoldsEveryMetric) {
    const Snapshot s = small_snapshot();
    const auto document = nlohmann::json::parse(report(s, StatsFormat::json));
    EXPECT_EQ(document.at("format"), "hotlane-stats");
    EXPECT_EQ(document.at("version"), 2);
    EXPECT_EQ(document.at("process").at("program"), "python3");
    EXPECT_EQ(document.at("process").at("pid"), 4242);
    EXPECT_DOUBLE_EQ(document.at("process").at("run_time"), 1.24);
    EXPECT_EQ(document.at("fallback_allocations").size(), kFallbackReasons);
    EXPECT_EQ(document.at("fallback_allocations").at("large").at("bytes"), 34 * MiB);
    ASSERT_EQ(document.at("classes").size(), 3U);
    const size_t shown[] = {1, 2, 4};
    for (const Metric& metric : metrics()) {
        if (metric.scope == MetricScope::size_class) {
            for (size_t i = 0; i < 3; ++i) {
                const auto& value = document.at("classes").at(i).at(metric.key);
                const uint64_t expected = metric_value(metric, s, shown[i]);
                if (metric.unit == MetricUnit::billionths) {
                    EXPECT_NEAR(value.get<double>(), static_cast<double>(expected) / 1e9, 1e-12);
                } else {
                    EXPECT_EQ(value.get<uint64_t>(), expected) << metric.key;
                }
            }
        }
    }
    EXPECT_EQ(document.at("classes").at(2).at("size"), 65'536);
    for (const Metric& metric : metrics()) {
        const char* groups[] = {"classes", "fallback_allocations", "pools", "arenas", "totals", "memory",
                                "process"};
        const auto& group = document.at(groups[static_cast<size_t>(metric.scope)]);
        const auto& object = metric.scope == MetricScope::size_class            ? group.at(0)
                             : metric.scope == MetricScope::fallback_allocation ? group.at("limit")
                             : metric.scope == MetricScope::pool                ? group.at("frames")
                             : metric.scope == MetricScope::arena               ? group.at("request")
                                                                                : group;
        EXPECT_TRUE(object.contains(metric.key)) << metric.key;
    }
}

TEST(JsonReport, IsValidWhateverTheProgramIsCalled) {
    Snapshot s = small_snapshot();
    strcpy(s.program, "a\"b\\c\n\xff\x01");
    const auto document = nlohmann::json::parse(report(s, StatsFormat::json));
    EXPECT_EQ(document.at("process").at("program"), "a\"b\\c\n\xef\xbf\xbd\x01");
    EXPECT_EQ(nlohmann::json::parse(report(Snapshot{}, StatsFormat::json)).at("classes").size(), 0U);
}

/// Parses the exposition format by its grammar. Returns series and values. Each family must be contiguous.
std::map<std::string, std::string> parse_prometheus(const std::string& text) {
    const std::regex sample{
        R"re(([a-z0-9_]+)(\{[a-z]+="(?:[^"\\\n]|\\["\\n])*"(?:,[a-z]+="(?:[^"\\\n]|\\["\\n])*")*\})? ([0-9.]+))re"};
    std::map<std::string, std::string> series;
    std::map<std::string, std::string> types;
    std::string family;
    EXPECT_TRUE(text.empty() || text.back() == '\n');
    for (const std::string& line : lines_of(text)) {
        std::smatch match;
        if (std::regex_match(line, match, std::regex{"# HELP ([a-z0-9_]+) [^\\\\]+"})) {
            family = match[1];
            EXPECT_EQ(types.count(family), 0U) << "a family in two pieces: " << line;
        } else if (std::regex_match(line, match, std::regex{"# TYPE ([a-z0-9_]+) (counter|gauge)"})) {
            EXPECT_EQ(match[1], family) << line;
            types[family] = match[2];
        } else if (std::regex_match(line, match, sample)) {
            EXPECT_EQ(match[1], family) << line;
            EXPECT_TRUE(series.emplace(match[1].str() + match[2].str(), match[3]).second) << line;
        } else {
            ADD_FAILURE() << line;
        }
    }
    return series;
}

TEST(PrometheusReport, FollowsTheGrammarAndHoldsEverySeries) {
    const Snapshot s = small_snapshot();
    auto series = parse_prometheus(report(s, StatsFormat::prometheus));
    const std::string process = R"(program="python3",pid="4242"})";
    EXPECT_EQ(series["hotlane_process_info{" + process], "1");
    EXPECT_EQ(series["hotlane_hits_total{class=\"64\"," + process], "5120000");
    EXPECT_EQ(series["hotlane_hit_ratio{class=\"65536\"," + process], "0.999999866");
    EXPECT_EQ(series["hotlane_fallback_allocations_total{reason=\"large\"," + process], "12");
    EXPECT_EQ(series["hotlane_pool_utilisation_ratio{pool=\"frames\"," + process], "0.250000000");
    EXPECT_EQ(series["hotlane_run_time_seconds{" + process], "1.240000000");
    EXPECT_EQ(series.count("hotlane_hits_total{class=\"1280\"," + process), 0U);
    for (const Metric& metric : metrics()) {
        const std::string label = metric.scope == MetricScope::size_class            ? "class=\"128\","
                                  : metric.scope == MetricScope::fallback_allocation ? "reason=\"no_region\","
                                  : metric.scope == MetricScope::pool                ? "pool=\"frames\","
                                  : metric.scope == MetricScope::arena               ? "arena=\"request\","
                                                                                     : "";
        EXPECT_TRUE(metric.series[0] == '\0' || series.count(metric.series + ("{" + label) + process) == 1)
            << metric.series;
    }
}

TEST(PrometheusReport, LabelsAreEscapedWithoutJsonsControlCodes) {
    Snapshot s = small_snapshot();
    strcpy(s.program, "a\"b\\c\n\x01");
    auto series = parse_prometheus(report(s, StatsFormat::prometheus));
    EXPECT_EQ(series.count("hotlane_process_info{program=\"a\\\"b\\\\c\\n\xef\xbf\xbd\",pid=\"4242\"}"), 1U);
}

TEST(PrometheusReport, PassesPromtoolWhereThereIsOne) {
    if (system("command -v promtool >/dev/null") != 0) {
        GTEST_SKIP() << "no promtool";
    }
    FILE* promtool = popen("promtool check metrics", "w");
    ASSERT_NE(promtool, nullptr);
    fputs(report(small_snapshot(), StatsFormat::prometheus).c_str(), promtool);
    EXPECT_EQ(pclose(promtool), 0);
}

TEST(HitAlarm, NamesTheWorstClassAndWhatHelps) {
    Snapshot s;
    s.class_count = 3;
    s.classes[1] = {.object_size = 64, .hits = 9'000, .misses = 1'000, .frees = 10'000};
    s.classes[2] = {.object_size = 4'096, .hits = 7'000, .misses = 3'000, .frees = 9'000, .swing = 100};
    const std::string worst = "hotlane: alarm    under 90 % hits: 4,096 B missed 3,000 of 10,000; ";
    EXPECT_EQ(alarm_line(s, 90), worst + "try HOTLANE_THREAD_CACHE=auto\n");
    EXPECT_EQ(alarm_line(s, 90, {.automatic = true}), worst + "caches are at their largest\n");
    EXPECT_EQ(alarm_line(s, 90, {.bytes = MiB}), worst + "caches are at their largest\n");
    s.classes[2].swing = 0;
    EXPECT_EQ(alarm_line(s, 90), worst + "no larger cache would help\n");
    s.classes[2].frees = 100;
    EXPECT_EQ(alarm_line(s, 92.5), "hotlane: alarm    under 92.50 % hits: 4,096 B missed 3,000 of "
                                   "10,000; try HOTLANE_WARMUP=4096:COUNT\n");
}

std::string pool_alarms(const Snapshot& snapshot, double percent) {
    char memory[1024];
    Writer out{memory, sizeof memory};
    write_pool_alarms(out, snapshot, percent);
    return {memory, out.bytes_written()};
}

TEST(PoolAlarm, NamesThePoolAndTheCapacityThatWouldDo) {
    Snapshot s;
    s.pool_count = 3;
    s.pools[0] = {.name = "frames", .gets = 50, .exhausted = 50, .fallbacks = 50, .demand = 21};
    s.pools[1] = {.name = "keys", .gets = 899, .exhausted = 101, .fallbacks = 0, .demand = 1'000};
    s.pools[2] = {.name = "fine", .gets = 900, .exhausted = 100, .fallbacks = 100, .demand = 3};
    EXPECT_EQ(pool_alarms(s, 90), "hotlane: alarm    pool \"frames\" hit 50.00 %; it needs a capacity of 21\n"
                                  "hotlane: alarm    pool \"keys\" hit 89.90 %; it needs a capacity of 1,000 "
                                  "or more\n");
    s.pools[0].gets = 49;  // one request too few for a warning
    s.pools[1].gets = 910;
    EXPECT_EQ(pool_alarms(s, 90), "");
    EXPECT_EQ(pool_alarms(widest_snapshot(), 0), "");
}

TEST(PoolAlarm, KeepsItsBoundsAtItsWidest) {
    const std::vector<std::string> lines = lines_of(pool_alarms(widest_snapshot(), 90));
    EXPECT_EQ(lines.size(), 4U);
    for (const std::string& line : lines) {
        EXPECT_LE(line.size(), 100U) << line;
    }
}

TEST(HitAlarm, IsSilentWhenAllIsWell) {
    Snapshot s;
    s.class_count = 2;
    s.classes[1] = {.object_size = 64, .hits = 9'000, .misses = 1'000, .frees = 10'000};
    EXPECT_EQ(alarm_line(s, 90), "");
    EXPECT_NE(alarm_line(s, 90.1), "");
    s.classes[1].hits = 1'000;
    s.classes[1].misses = 8'999;  // one request too few for a warning
    EXPECT_EQ(alarm_line(s, 90), "");
    s.classes[1].misses = 9'000;
    EXPECT_NE(alarm_line(s, 90), "");
    EXPECT_EQ(alarm_line(s, 0), "");
    EXPECT_EQ(alarm_line(Snapshot{}, 100), "");
}

}  // namespace
}  // namespace hotlane
