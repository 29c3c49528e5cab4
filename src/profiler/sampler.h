// SPDX-License-Identifier: MIT
//
// Which requests are sampled, and for how many each sample stands.
// Knows nothing of stacks, threads or the tiers that serve requests.
// Asked by thread cache (gaps between the samples of a class) and by allocator (large requests, one by one).
#pragma once

#include "base/base.h"

namespace hotlane::sampler {

/// Every byte is as likely to be sampled: a request of n bytes is with the probability 1 - exp(-n / period),
/// which is what the readers of heap_v2 profiles undo. Of a class, whose requests all count as its size, the
/// gaps between samples are drawn instead, so that nothing happens in between; both are the same Poisson
/// process.

/// Weights are fixed-point numbers: a sample that stands for w requests has the weight w << kWeightShift.
inline constexpr unsigned kWeightShift = 12;

/// -ln(u) of a u drawn evenly from (0, 1]; `random` has 64 random bits. Mean 1. Relative error below 1e-9.
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

/// How likely a request of `bytes` is sampled when one byte in `period` is.
constexpr double chance(size_t bytes, uint64_t period) {
    return period <= 1 ? 1.0 : one_minus_exp(static_cast<double>(bytes) / static_cast<double>(period));
}

/// To the nearest whole number.
constexpr uint64_t rounded(double n) {
    const auto whole = static_cast<uint64_t>(n);
    return whole + (n - static_cast<double>(whole) >= 0.5 ? 1 : 0);
}

constexpr uint64_t weight_of_chance(double chance) {
    return rounded(static_cast<double>(uint64_t{1} << kWeightShift) / chance);
}

/// How many requests of a class pass until one is sampled: geometric, as whole sizes in an exponential number
/// of bytes.
constexpr uint64_t gap(uint64_t random, size_t object_size, uint64_t period) {
    return static_cast<uint64_t>(exponential(random) * static_cast<double>(period) /
                                 static_cast<double>(object_size));
}

// ---- the session under way
// ---------------------------------------------------------------------------------- Any thread, no lock.

/// One byte in `period` from now on.
void start(uint64_t period);
void stop();
bool running();
/// The mean distance of samples, bytes; of the last session after stop().
uint64_t period();
/// 0 until the first start, of either kind; changes with each start and stop, so that gaps drawn before count
/// for nothing.
uint32_t epoch();

/// From now on one request in `one_in` is to be guarded, beside any session and whatever its size. Once, at
/// start.
void start_guards(uint64_t one_in);
/// How many requests of a class pass until one is guarded; kNoGuards when none is.
inline constexpr uint64_t kNoGuards = UINT64_MAX;
uint64_t draw_guard_gap();

uint64_t draw_gap(size_t object_size);
/// Whether one request of so many bytes is sampled.
bool draw(size_t bytes);
uint64_t weight(size_t bytes);

}  // namespace hotlane::sampler
