// SPDX-License-Identifier: MIT
//
// Tests the arithmetic of sampling against libm's, and the distribution of random gaps.
#include "profiler/sampler.h"

#include <cmath>
#include <gtest/gtest.h>
#include <random>

namespace {

using namespace hotlane;

TEST(Exponential, IsTheLogarithmOfTheDrawnNumber) {
    std::mt19937_64 random(1);
    for (int i = 0; i < 100'000; ++i) {
        const uint64_t bits = random() >> (i % 60);  // includes small numbers, for the tail
        const double u = (static_cast<double>(bits >> 11) + 1) / std::ldexp(1.0, 53);
        EXPECT_NEAR(sampler::exponential(bits), -std::log(u), 1e-9 * (1 - std::log(u)));
    }
    EXPECT_NEAR(sampler::exponential(UINT64_MAX), 0, 1e-15);
    EXPECT_NEAR(sampler::exponential(0), 53 * std::log(2.0), 1e-6);
}

TEST(OneMinusExp, IsExactWhereItIsSmall) {
    for (double x = 1e-9; x < 800; x *= 1.37) {
        EXPECT_NEAR(sampler::one_minus_exp(x), -std::expm1(-x), -std::expm1(-x) * 1e-12) << x;
    }
    EXPECT_EQ(sampler::one_minus_exp(0), 0);
}

TEST(Gap, HasTheChanceOfEachRequestAsItsMean) {
    // Geometric with p = 1 - exp(-size / period): the mean number of requests not sampled is (1 - p) / p.
    std::mt19937_64 random(2);
    constexpr int kDraws = 200'000;
    for (const size_t size : {64U, 1024U, 65536U, 4U << 20}) {
        constexpr uint64_t kPeriod = 512 * KiB;
        const double p = sampler::chance(size, kPeriod);
        double sum = 0;
        for (int i = 0; i < kDraws; ++i) {
            sum += static_cast<double>(sampler::gap(random(), size, kPeriod));
        }
        const double mean = (1 - p) / p;
        const double deviation = std::sqrt((1 - p) / (p * p) / kDraws);
        EXPECT_NEAR(sum / kDraws, mean, 5 * deviation + 1e-9) << size;
    }
}

TEST(Weight, UndoesTheChance) {
    EXPECT_EQ(sampler::weight_of_chance(1.0), uint64_t{1} << sampler::kWeightShift);
    for (const double chance : {0.9, 0.5, 1e-2, 1e-4, 1e-7}) {
        const double weight = static_cast<double>(sampler::weight_of_chance(chance)) /
                              static_cast<double>(uint64_t{1} << sampler::kWeightShift);
        EXPECT_NEAR(weight * chance, 1.0, 2e-4);
    }
}

TEST(Session, EveryRequestAtAPeriodOfOne) {
    const uint32_t before = sampler::epoch();
    sampler::start(1);
    EXPECT_TRUE(sampler::running());
    EXPECT_NE(sampler::epoch(), before);
    for (int i = 0; i < 1000; ++i) {
        EXPECT_EQ(sampler::draw_gap(16), 0U);
        EXPECT_TRUE(sampler::draw(1));
    }
    EXPECT_EQ(sampler::weight(16), uint64_t{1} << sampler::kWeightShift);
    const uint32_t first = sampler::epoch();
    sampler::start(4096);
    EXPECT_TRUE(sampler::running());
    EXPECT_NE(sampler::epoch(), first);
    EXPECT_EQ(sampler::period(), 4096U);
    const uint32_t second = sampler::epoch();
    sampler::stop();
    EXPECT_FALSE(sampler::running());
    EXPECT_NE(sampler::epoch(), second);
    const uint32_t stopped = sampler::epoch();
    sampler::stop();
    EXPECT_EQ(sampler::epoch(), stopped);
    EXPECT_EQ(sampler::period(), 4096U);
}

}  // namespace
