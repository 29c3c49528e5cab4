// SPDX-License-Identifier: MIT
//
// Tests the metric table: names and units follow the rules of the formats, values match the snapshot. Also
// sums and shares.
#include "stats/metrics.h"

#include "snapshots.h"

#include <gtest/gtest.h>

#include <regex>
#include <set>
#include <string>

namespace hotlane {
namespace {

const Metric& row(MetricScope scope, std::string_view key) {
    for (const Metric& metric : metrics()) {
        if (metric.scope == scope && key == metric.key) {
            return metric;
        }
    }
    ADD_FAILURE() << key;
    return metrics().front();
}

std::string printed(const Metric& metric, uint64_t value) {
    char memory[64];
    Writer out{memory, sizeof memory};
    write_metric_value(out, metric, value);
    return {memory, out.bytes_written()};
}

bool ends_with(std::string_view text, std::string_view end) { return text.ends_with(end); }

TEST(MetricTable, KeysAreUniqueInTheirScope) {
    std::set<std::pair<MetricScope, std::string>> keys;
    for (const Metric& metric : metrics()) {
        EXPECT_TRUE(keys.emplace(metric.scope, metric.key).second) << metric.key;
        EXPECT_TRUE(std::regex_match(metric.key, std::regex{"[a-z][a-z0-9_]*"})) << metric.key;
    }
}

TEST(MetricTable, SeriesFollowPrometheusNaming) {
    std::set<std::string> series;
    for (const Metric& metric : metrics()) {
        const std::string name = metric.series;
        if (name.empty()) {
            EXPECT_EQ(metric.scope, MetricScope::total) << metric.key << " is no sum, but has no series";
            continue;
        }
        EXPECT_TRUE(series.insert(name).second) << name;
        EXPECT_TRUE(std::regex_match(name, std::regex{"hotlane_[a-z0-9_]+"})) << name;
        EXPECT_EQ(ends_with(name, "_total"), metric.type == MetricType::counter) << name;
        const std::string base = name.substr(0, name.size() - (ends_with(name, "_total") ? 6 : 0));
        EXPECT_EQ(ends_with(base, "_bytes"), metric.unit == MetricUnit::bytes) << name;
        EXPECT_EQ(ends_with(base, "_seconds"), metric.unit == MetricUnit::nanoseconds) << name;
        EXPECT_EQ(ends_with(base, "_ratio"), metric.unit == MetricUnit::billionths) << name;
    }
}

TEST(MetricTable, HelpIsASentence) {
    for (const Metric& metric : metrics()) {
        EXPECT_TRUE(std::regex_match(metric.help, std::regex{"[A-Z][^\\\\\n]*\\."}))
            << metric.key << ": " << metric.help;
    }
}

TEST(MetricTable, ValuesOfAClass) {
    const Snapshot s = small_snapshot();
    const auto value = [&s](const char* key) {
        return metric_value(row(MetricScope::size_class, key), s, 1);
    };
    EXPECT_EQ(value("allocations"), 5'123'456U);
    EXPECT_EQ(value("frees"), 5'120'000U);
    EXPECT_EQ(value("hits"), 5'120'000U);
    EXPECT_EQ(value("misses"), 3'456U);
    EXPECT_EQ(value("hit_rate"), 999'325'455U);
    EXPECT_EQ(value("refills"), 3'456U);
    EXPECT_EQ(value("flushes"), 1'200U);
    EXPECT_EQ(value("spans"), 12U);
    EXPECT_EQ(value("live"), 3'456U);
    EXPECT_EQ(value("peak"), 45'678U);
    EXPECT_EQ(value("depot"), 512U);
    EXPECT_EQ(value("cached"), 3'500U - 3'456U);
    EXPECT_EQ(value("fresh_bytes"), 3 * MiB);
    EXPECT_EQ(value("recycled_bytes"), 5'123'456U * 64 - 3 * MiB);
    EXPECT_EQ(class_metric_value(row(MetricScope::size_class, "allocations"), s.classes[2]), 1'000U);
}

TEST(MetricTable, ObjectsThatWereFreedMeanwhileAreNotCached) {
    ClassStats stats{.hits = 10, .frees = 2, .objects = 9};
    EXPECT_EQ(stats.cached(), 1U);
    stats.objects = 7;  // read before the last requests
    EXPECT_EQ(stats.cached(), 0U);
}

TEST(MetricTable, ValuesOfAPool) {
    const Snapshot s = small_snapshot();
    const auto value = [&s](const char* key) { return metric_value(row(MetricScope::pool, key), s, 0); };
    EXPECT_EQ(value("hit_rate"), 994'059'405U);
    EXPECT_EQ(value("saved"), 995U);
    EXPECT_EQ(value("reused_bytes"), 995U * 4096);
    EXPECT_EQ(value("growths"), 1U);
    EXPECT_EQ(value("peak_capacity"), 32U);
    EXPECT_EQ(value("demand"), 21U);
    EXPECT_EQ(value("bytes"), 16U * 4096);
    EXPECT_EQ(value("peak_bytes"), 32U * 4096);
    EXPECT_EQ(value("hold_samples"), 100U);
    EXPECT_EQ(value("long_holds"), 3U);
    EXPECT_EQ(printed(row(MetricScope::pool, "hold_p50"), s.pools[0].hold_p50_ns), "0.000250000");
    EXPECT_EQ(value("hold_p99"), 120'000'000U);
    EXPECT_EQ(value("hold_max"), 130'000'000U);
}

TEST(MetricTable, ValuesOfTheProcess) {
    const Snapshot s = small_snapshot();
    EXPECT_EQ(metric_value(row(MetricScope::fallback_allocation, "count"), s, 1), 2U);
    EXPECT_EQ(metric_value(row(MetricScope::fallback_allocation, "bytes"), s, 0), 34 * MiB);
    EXPECT_EQ(metric_value(row(MetricScope::total, "allocations"), s), 20'124'458U);
    EXPECT_EQ(metric_value(row(MetricScope::total, "fallback_allocations"), s), 14U);
    EXPECT_EQ(metric_value(row(MetricScope::total, "hit_rate"), s), 999'823'200U);
    EXPECT_EQ(metric_value(row(MetricScope::memory, "live"), s), 3'456U * 64 + 3 * 65'536U);
    EXPECT_EQ(metric_value(row(MetricScope::memory, "peak_rss"), s), 47'395'635U);
    EXPECT_EQ(metric_value(row(MetricScope::process, "threads_ended"), s), 3U);
    EXPECT_EQ(printed(row(MetricScope::process, "run_time"), s.run_time_ns), "1.240000000");
    EXPECT_EQ(metric_value(row(MetricScope::process, "finer_classes_after"), s), 250'000'000U);
}

TEST(MetricTable, ValuesPrintExactly) {
    EXPECT_EQ(printed(row(MetricScope::total, "allocations"), UINT64_MAX), "18446744073709551615");
    EXPECT_EQ(printed(row(MetricScope::total, "hit_rate"), 1'000'000'000), "1.000000000");
    EXPECT_EQ(printed(row(MetricScope::total, "hit_rate"), 7), "0.000000007");
}

TEST(Stats, SharesAreRoundedDownAndDoNotOverflow) {
    EXPECT_EQ(share_in_billionths(0, 0), 1'000'000'000U);
    EXPECT_EQ(share_in_billionths(0, 5), 0U);
    EXPECT_EQ(share_in_billionths(2, 3), 666'666'666U);
    EXPECT_EQ(share_in_billionths(UINT64_MAX - 1, UINT64_MAX), 999'999'999U);
    EXPECT_EQ(share_in_billionths(UINT64_MAX, UINT64_MAX), 1'000'000'000U);
}

TEST(Stats, SumsLeaveOutWhatIsNoClass) {
    Snapshot s = small_snapshot();
    s.classes[0].hits = 1'000;  // index 0 is not a class
    s.classes[5].hits = 1'000;  // beyond class_count
    EXPECT_EQ(s.hits(), 20'120'900U);
    EXPECT_EQ(s.misses(), 3'558U);
    EXPECT_EQ(s.frees(), 20'120'999U);
    EXPECT_EQ(s.allocations(), s.hits() + s.misses());
    EXPECT_EQ(s.fallback_request_bytes(), 34 * MiB + 8 * KiB);
    EXPECT_EQ(s.fresh_bytes(), 3 * MiB + 8960);
    EXPECT_EQ(s.recycled_bytes(),
              5'123'456U * 64 - 3 * MiB + 1000U * 128 - 8960 + 15'000'002U * uint64_t{65'536});
    EXPECT_DOUBLE_EQ(Snapshot{}.hit_rate_percent(), 100.0);
    EXPECT_NEAR(s.hit_rate_percent(), 99.98232, 1e-5);
}

TEST(Stats, AddingKeepsTheSize) {
    const Snapshot s = small_snapshot();
    ClassStats sum = s.classes[1];
    sum += s.classes[2];
    EXPECT_EQ(sum.object_size, 64U);
    EXPECT_EQ(sum.allocations(), 5'124'456U);
    EXPECT_EQ(sum.frees, 5'121'000U);
    EXPECT_EQ(sum.refills, 3'556U);
    EXPECT_EQ(sum.flushes, 1'210U);
    EXPECT_EQ(sum.spans, 13U);
    EXPECT_EQ(sum.depot_objects, 512U);
    EXPECT_EQ(sum.peak_objects, 45'748U);
    EXPECT_EQ(sum.fresh_bytes, 3 * MiB + 8960);
}

}  // namespace
}  // namespace hotlane
