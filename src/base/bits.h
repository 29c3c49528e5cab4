// SPDX-License-Identifier: MIT
//
// Sets of small numbers, stored as arrays of 64-bit words. Number i is bit i % 64 of word i / 64.
// Each function visits every word of its range once.
#pragma once

#include "base/base.h"

#include <algorithm>

namespace hotlane {

inline constexpr uint32_t kBitsPerWord = 64;

inline bool test_bit(const uint64_t* bits, uint32_t i) {
    return (bits[i / kBitsPerWord] >> (i % kBitsPerWord)) & 1;
}

/// Calls `visit(word_index, mask)` for each word that holds bits of the range; `mask` selects those bits.
template <class Visit>
inline void visit_masks(uint32_t first, uint32_t count, Visit visit) {
    for (const uint32_t end = first + count; first < end;) {
        const uint32_t offset = first % kBitsPerWord;
        const uint32_t in_word = std::min(end - first, kBitsPerWord - offset);
        visit(first / kBitsPerWord, (~uint64_t{0} >> (kBitsPerWord - in_word)) << offset);
        first += in_word;
    }
}

inline void set_bits(uint64_t* bits, uint32_t first, uint32_t count, bool value) {
    visit_masks(first, count, [=](uint32_t word, uint64_t mask) {
        bits[word] = value ? bits[word] | mask : bits[word] & ~mask;
    });
}

/// The number of bits in the range that are set.
inline uint32_t count_bits(const uint64_t* bits, uint32_t first, uint32_t count) {
    uint32_t sum = 0;
    visit_masks(first, count, [&](uint32_t word, uint64_t mask) {
        sum += static_cast<uint32_t>(std::popcount(bits[word] & mask));
    });
    return sum;
}

/// The first bit in [from, end) that equals `value`, or `end`.
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
