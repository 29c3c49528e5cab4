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

/// The number of bits of a word that are set. For a processor that may have no instruction for it, std::popcount() calls
/// the compiler's library, whose code lies behind all other code and would make 64 KiB more of the file resident.
constexpr uint32_t count_ones(uint64_t word) {
    word -= (word >> 1) & 0x5555555555555555;
    word = (word & 0x3333333333333333) + ((word >> 2) & 0x3333333333333333);
    word = (word + (word >> 4)) & 0x0f0f0f0f0f0f0f0f;
    return static_cast<uint32_t>((word * 0x0101010101010101) >> 56);
}

/// The number of bits in the range that are set.
inline uint32_t count_bits(const uint64_t* bits, uint32_t first, uint32_t count) {
    uint32_t sum = 0;
    visit_masks(first, count, [&](uint32_t word, uint64_t mask) { sum += count_ones(bits[word] & mask); });
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

/// The first of `length` adjacent bits in [from, end) that are set, or `end`. `length` is at most kBitsPerWord, and `end` a
/// multiple of it. Takes a few instructions for each word, however many short runs there are.
inline uint32_t find_run(const uint64_t* bits, uint32_t from, uint32_t end, uint32_t length) {
    uint64_t mask = ~uint64_t{0} << (from % kBitsPerWord);
    for (uint32_t word = from / kBitsPerWord; word < end / kBitsPerWord; ++word) {
        uint64_t starts = bits[word] & mask;  // bit i: the bits from i to i + known - 1 are set
        mask = ~uint64_t{0};
        uint64_t starts_behind = word + 1 != end / kBitsPerWord ? bits[word + 1] : 0;
        for (uint32_t known = 1; starts != 0 && known < length;) {
            const uint32_t step = std::min(known, length - known);
            starts &= starts >> step | starts_behind << (kBitsPerWord - step);
            starts_behind &= starts_behind >> step;  // what comes after these two words is not looked at
            known += step;
        }
        if (starts != 0) {
            return word * kBitsPerWord + static_cast<uint32_t>(std::countr_zero(starts));
        }
    }
    return end;
}

/// How many bits right before `end` are set, but at most `most`.
inline uint32_t count_set_before(const uint64_t* bits, uint32_t end, uint32_t most) {
    most = std::min(most, end);
    uint32_t count = 0;
    while (count < most) {
        const uint32_t at = end - count;
        const uint32_t in_word = (at - 1) % kBitsPerWord + 1;
        const auto set =
            static_cast<uint32_t>(std::countl_one(bits[(at - 1) / kBitsPerWord] << (kBitsPerWord - in_word)));
        count += std::min(set, in_word);
        if (set < in_word) {
            break;
        }
    }
    return std::min(count, most);
}

}  // namespace hotlane
