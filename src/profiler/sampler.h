// SPDX-License-Identifier: MIT
//
// Decides which requests are sampled, and how many requests each sample stands for.
#pragma once

#include "base/base.h"

namespace hotlane::sampler {

/// Every byte is equally likely to be sampled: a request of n bytes is sampled with the probability 1 -
/// exp(-n / period). Readers of heap_v2 profiles undo exactly this. For a size class, all of whose requests
/// count as the class's size, the gap until the next sample is drawn instead, so that the requests in between
/// need no random number. Both are the same Poisson process.

/// Weights are fixed-point numbers: the weight of a sample that stands for w requests is w << kWeightShift.
inline constexpr unsigned kWeightShift = 12;

/// -ln(u) for a u drawn uniformly from (0, 1]; `random` has 64 random bits. Mean 1. Relative error below
/// 1e-9.
constexpr double exponential(uint64_t random) {
    // u = (m + 1) / 2^53 = f * 2^-e with f in [1, 2): -ln(u) = e ln 2 - ln f, by the series of artanh.
    const uint64_t m = (random >> 11) + 1;
    const auto exponent = static_cast<unsigned>(std::countl_zero(m)) - 10;
    const double f = static_cast<double>(m << exponent) / static_cast<double>(uint64_t{1} << 53);
    const double s = (f - 1) / (f + 1);
    double sum = 0;
    for (int k = 19; k >= 1; k -= 2) {
        sum = sum * s * s + 1.0 / k;
    }
    constexpr double kLn2 = 0.693147180559945309417;
    return exponent * kLn2 - 2 * s * sum;
}

/// 1 - exp(-x) for x >= 0, by Taylor's series and halving.
constexpr double one_minus_exp(double x) {
    if (x > 0.5) {
        const double half = one_minus_exp(x / 2);
        return half * (2 - half);
    }
    double sum = 0;
    for (int k = 12; k >= 1; --k) {
        sum = (1 - sum) * x / k;
    }
    return sum;
}

/// The probability that a request of `bytes` is sampled if one byte in `period` is.
constexpr double chance(size_t bytes, uint64_t period) {
    return period <= 1 ? 1.0 : one_minus_exp(static_cast<double>(bytes) / static_cast<double>(period));
}

/// Rounds to the nearest whole number.
constexpr uint64_t rounded(double n) {
    const auto whole = static_cast<uint64_t>(n);
    return whole + (n - static_cast<double>(whole) >= 0.5 ? 1 : 0);
}

inline constexpr double kOne = uint64_t{1} << kWeightShift;
constexpr uint64_t weight_of_chance(double chance) { return rounded(kOne / chance); }
/// The number that a sum of weights stands for.
constexpr uint64_t unsampled(uint64_t weighted) { return rounded(static_cast<double>(weighted) / kOne); }

/// How many requests of a class pass before the next one is sampled. Geometrically distributed: the number of
/// whole objects in an exponentially distributed number of bytes.
constexpr uint64_t gap(uint64_t random, size_t object_size, uint64_t period) {
    return static_cast<uint64_t>(exponential(random) * static_cast<double>(period) /
                                 static_cast<double>(object_size));
}

// ---- the current session: any thread, no lock -------------------------------------------------------------

/// Starts a session that samples one byte in `period`.
void start(uint64_t period);
void stop();
bool running();
/// The mean distance between samples, bytes. After stop() it is that of the last session.
uint64_t period();
/// 0 until the first start of a session or of guards. Changes with each start and stop, so that threads
/// discard gaps that were drawn before.
uint32_t epoch();

/// From now on one request in `one_in` is guarded, whatever its size, independently of sessions. Called once,
/// at start.
void start_guards(uint64_t one_in);
/// How many requests of a class pass before one is guarded; kNoGuards if none is.
inline constexpr uint64_t kNoGuards = UINT64_MAX;
uint64_t draw_guard_gap();

uint64_t draw_gap(size_t object_size);
/// Whether one request of this many bytes is sampled.
bool draw(size_t bytes);
uint64_t weight(size_t bytes);

}  // namespace hotlane::sampler
