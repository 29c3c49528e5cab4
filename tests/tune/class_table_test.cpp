// SPDX-License-Identifier: MIT
//
// Tests what `hotlane tune` computes: the best table against all tables, the bounds of every table, and the
// options that are written.
#include "cli/text/text_file.h"
#include "cli/tune/inputs.h"
#include "cli/tune/plan.h"
#include "options/config.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <random>

namespace hotlane::cli {
namespace {

double cost(const std::vector<Candidate>& candidates, const ClassSizes& classes) {
    double sum = 0;
    for (const Candidate& candidate : candidates) {
        const uint32_t size = classes[class_for(classes, candidate.size)];
        const auto serving = std::find_if(candidates.begin(), candidates.end(),
                                          [size](const Candidate& c) { return c.size == size; });
        sum += candidate.weight * serving->bytes_per_object;
    }
    return sum;
}

/// The least cost of all tables that end with the last candidate; infinity if none is allowed.
double least_of_all(const std::vector<Candidate>& candidates, unsigned most) {
    double least = INFINITY;
    const size_t optional = candidates.size() - 1;
    for (uint32_t chosen = 0; chosen < 1U << optional; ++chosen) {
        ClassSizes classes;
        for (size_t i = 0; i < optional; ++i) {
            if ((chosen >> i & 1) != 0) {
                classes.push_back(candidates[i].size);
            }
        }
        classes.push_back(candidates.back().size);
        bool allowed = classes.size() <= most && classes.front() <= kLargestFirst;
        for (size_t i = 1; i < classes.size(); ++i) {
            allowed = allowed && classes[i] <= kLargestRatio * classes[i - 1];
        }
        least = allowed ? std::min(least, cost(candidates, classes)) : least;
    }
    return least;
}

TEST(LeastRounding, IsAsGoodAsTheBestOfAllTables) {
    std::mt19937 random(7);
    int solvable = 0;
    for (int round = 0; round < 400; ++round) {
        std::vector<Candidate> candidates;
        uint32_t size = 0;
        const size_t count = 2 + random() % 10;
        for (size_t i = 0; i < count; ++i) {
            size += 16 * (1 + random() % (1 + size / 24));
            // Not always rising with the size, as in spans, where the rest after the last object differs.
            candidates.push_back({.size = size,
                                  .bytes_per_object = size * (1 + random() % 100 / 1500.0),
                                  .weight = random() % 3 == 0 ? 0.0 : random() % 1000});
        }
        const unsigned most = 1 + random() % 6;
        const double least = least_of_all(candidates, most);
        const ClassSizes found = least_rounding(candidates, most);
        ASSERT_EQ(found.empty(), std::isinf(least)) << "round " << round;
        if (found.empty()) {
            continue;
        }
        ++solvable;
        ASSERT_LE(found.size(), most);
        ASSERT_EQ(found.back(), candidates.back().size);
        ASSERT_NEAR(cost(candidates, found), least, 1e-9 * least) << "round " << round;
    }
    EXPECT_GT(solvable, 100);
}

Demand random_demand(unsigned seed) {
    std::mt19937 random(seed);
    Demand demand;
    for (uint32_t size = 16; size <= kLargestSmall; size += 16 * (1 + random() % 40)) {
        const double live = random() % 10'000;
        demand.push_back({.size = size,
                          .requests = live * (1 + random() % 5),
                          .live = live,
                          .live_bytes = live * (size - random() % 16),
                          .early = live / 10});
    }
    return demand;
}

TEST(BestClasses, AreValidForTheLibraryAndLoseLessThanItsOwn) {
    for (unsigned seed = 1; seed <= 4; ++seed) {
        const Demand demand = random_demand(seed);
        for (const uint32_t alignment : {16U, 64U}) {
            double before = INFINITY;
            for (const unsigned most : {kFewestClasses, 24U, 40U, kMostClasses}) {
                const ClassSizes classes = best_classes(demand, most, alignment);
                ASSERT_LE(classes.size(), most);
                std::string option;
                for (const uint32_t size : classes) {
                    ASSERT_EQ(size % alignment, 0U);
                    option += std::to_string(size) + ",";
                }
                Config config;
                ASSERT_TRUE(set_option(config, *find_option("SIZE_CLASSES"), option)) << option;
                ASSERT_EQ(config.size_classes.count, classes.size());
                const double bytes = resident_bytes(demand, classes);
                ASSERT_LE(bytes, before * 1.001) << "more classes lose less";
                before = bytes;
            }
            EXPECT_LT(before,
                      resident_bytes(demand, alignment == 64 ? cacheline_classes() : compact_classes()));
        }
    }
}

TEST(BestClasses, MatchFewSizesExactly) {
    const Demand demand{{.size = 48, .requests = 1e6, .live = 1e6, .live_bytes = 48e6, .early = 0},
                        {.size = 208, .requests = 1e6, .live = 1e6, .live_bytes = 208e6, .early = 0}};
    const ClassSizes classes = best_classes(demand, 20, 16);
    EXPECT_EQ(rounding_bytes(demand, classes), 0);
    EXPECT_EQ(rounding_bytes(demand, cacheline_classes()), 1e6 * (16 + 48));
    EXPECT_EQ(rounding_bytes(demand, compact_classes()), 0);
}

TEST(MakePlan, RaisesTheLimitOfAClassWhoseSwingIsLarger) {
    const Demand demand{
        {.size = 32768, .requests = 1e5, .live = 40, .live_bytes = 40 * 32768.0, .early = 40}};
    RunFigures figures;
    figures.threads = 1;
    figures.classes[32768] = {.allocations = 100'000, .refills = 9'000, .swing = 40};
    figures.classes[64] = {.allocations = 100'000, .refills = 9'000, .swing = 150};  // 240 fit anyway
    const Plan plan = make_plan(demand, figures, {.classes = 20, .alignment = 64});
    ASSERT_EQ(plan.cache_limits.size(), 1U);
    EXPECT_GE(plan.cache_limits[0].size, 32768U);
    EXPECT_EQ(plan.cache_limits[0].bytes, uint64_t{80} * plan.cache_limits[0].size);
    const std::string text = options_file(plan, "program", true);
    EXPECT_NE(text.find("HOTLANE_THREAD_CACHE=64K,"), std::string::npos) << text;
}

TEST(MakePlan, WarmsUpOnlyProgramsWithFewThreads) {
    const Demand demand{{.size = 64, .requests = 1e5, .live = 1000, .live_bytes = 64'000, .early = 700},
                        {.size = 128, .requests = 1e5, .live = 1000, .live_bytes = 128'000, .early = 7}};
    RunFigures figures;
    figures.threads = 1;
    const TuneGoals goals{.classes = 40, .alignment = 64};
    EXPECT_NE(options_file(make_plan(demand, figures, goals), "p", true).find("\nHOTLANE_WARMUP=64:240\n"),
              std::string::npos);
    figures.threads = 5;
    EXPECT_EQ(options_file(make_plan(demand, figures, goals), "p", true).find("HOTLANE_WARMUP"),
              std::string::npos);
    EXPECT_EQ(options_file(make_plan(demand, {}, goals), "p", false).find("HOTLANE_WARMUP"),
              std::string::npos);
}

TEST(MakePlan, PrefersCacheLinesUnlessMuchIsSaved) {
    const Demand tiny{{.size = 16, .requests = 1e6, .live = 1e6, .live_bytes = 16e6, .early = 0}};
    EXPECT_EQ(make_plan(tiny, {}, {}).alignment, 16U);
    const Demand lines{{.size = 64, .requests = 1e6, .live = 1e6, .live_bytes = 64e6, .early = 0},
                       {.size = 80, .requests = 1e3, .live = 1e3, .live_bytes = 8e4, .early = 0}};
    EXPECT_EQ(make_plan(lines, {}, {}).alignment, 64U);
    EXPECT_EQ(make_plan(lines, {}, {.classes = 40, .alignment = 16}).alignment, 16U);
}

TEST(RunFigures, MalformedReportsAreOneKindOfError) {
    for (const char* text :
         {"", "x", "{}", "[]", "null", R"({"format": "hotlane-stats"})", R"({"format": 1})",
          R"({"format": "hotlane-stats", "process": {"program": 1, "pid": 2}, "totals": {},
                                 "memory": {}, "classes": []})",
          R"({"format": "hotlane-stats", "process": {"program": "p", "pid": 2}, "totals": {},
                                 "memory": {"peak_rss": -1}, "classes": []})",
          R"({"format": "hotlane-stats", "process": {"program": "p", "pid": 2}, "totals": {},
                                 "memory": {}, "classes": [1]})"}) {
        EXPECT_THROW(parse_run_figures(text, "f"), FileError) << text;
    }
    const RunFigures figures = parse_run_figures(
        R"({"format": "hotlane-stats", "process": {"program": "p", "pid": 2, "threads_live": 1, "threads_ended": 2},
            "totals": {"allocations": 10, "misses": 3}, "memory": {"peak_rss": 4096},
            "classes": [{"size": 64, "allocations": 10, "swing": 5}]})",
        "f");
    EXPECT_EQ(figures.threads, 3U);
    EXPECT_EQ(figures.peak_rss, 4096U);
    EXPECT_EQ(figures.classes.at(64).swing, 5U);
}

}  // namespace
}  // namespace hotlane::cli
