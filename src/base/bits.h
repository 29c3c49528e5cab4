// SPDX-License-Identifier: MIT
//
// Sets of small numbers as arrays of 64-bit words.
// Knows nothing of what the numbers count.
// Called by region and span.
#pragma once

#include "base/base.h"

#include <algorithm>

namespace hotlane {

inline constexpr uint32_t kBitsPerWord = 64;

inline bool test_bit(const uint64_t* bits, uint32_t i) {
    return (bits[i / kBitsPerWord] >> (i % kBitsPerWord)) & 1;
}

inline void set_bits(uint64_t* bits, uint32_t first, uint32_t count, bool value) {
    for (uint32_t i = first; i < first + count; ++i) {
        const uint64_t bit = uint64_t{1} << (i % kBitsPerWord);
        bits[i / kBitsPerWord] = value ? bits[i / kBitsPerWord] | bit : bits[i / kBitsPerWord] & ~bit;
    }
}

inline uint32_t count_bits(const uint64_t* bits, uint32_t first, uint32_t count) {
    uint32_t sum = 0;
    for (uint32_t i = first; i < first + count; ++i) {
        sum += test_bit(bits, i);
    }
    return sum;
}

/// The first bit at or after `from` that equals `value`, or `end`.
inline uint32_t find_bit(const uint64_t* bits, uint32_t from, uint32_t end, bool value) {
    while (from < end) {
        const uint64_t word =
            (value ? bits[from / kBitsPerWord] : ~bits[from / kBitsPerWord]) >> (from % kBitsPerWord);
        if (word != 0) {
            return std::min(end, from + static_cast<uint32_t>(std::countr_zero(word)));
        }
        from = (from / kBitsPerWord + 1) * kBitsPerWord;
    }
    return end;
}

}  // namespace hotlane
