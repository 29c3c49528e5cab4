// SPDX-License-Identifier: MIT
//
// Tests bits.h: every range within three words, compared with a loop over single bits.
#include "base/bits.h"

#include <gtest/gtest.h>

namespace hotlane {
namespace {

constexpr uint32_t kWords = 3;
constexpr uint32_t kBits = kWords * kBitsPerWord;
constexpr uint64_t kPattern[kWords] = {0x8000'0000'0000'0001, 0xa5a5'0000'ffff'5a5a, 0x7fff'ffff'ffff'fffe};

bool is_set(const uint64_t* bits, uint32_t i) { return (bits[i / 64] & uint64_t{1} << (i % 64)) != 0; }

template <class Check>
void for_every_range(Check check) {
    for (uint32_t first = 0; first <= kBits; ++first) {
        for (uint32_t end = first; end <= kBits; ++end) {
            check(first, end);
        }
    }
}

TEST(Bits, SettingARangeChangesItsBitsAndNoOthers) {
    for (const bool value : {true, false}) {
        for_every_range([value](uint32_t first, uint32_t end) {
            uint64_t bits[kWords];
            std::copy_n(kPattern, kWords, bits);
            set_bits(bits, first, end - first, value);
            for (uint32_t i = 0; i < kBits; ++i) {
                const bool inside = first <= i && i < end;
                ASSERT_EQ(is_set(bits, i), inside ? value : is_set(kPattern, i)) << first << " " << end;
            }
        });
    }
}

TEST(Bits, CountingARangeCountsItsBitsOnly) {
    for_every_range([](uint32_t first, uint32_t end) {
        uint32_t expected = 0;
        for (uint32_t i = first; i < end; ++i) {
            expected += is_set(kPattern, i) ? 1 : 0;
        }
        ASSERT_EQ(count_bits(kPattern, first, end - first), expected) << first << " " << end;
    });
}

TEST(Bits, FindingStopsAtTheFirstBitOfTheValueOrAtTheEnd) {
    for (const bool value : {true, false}) {
        for_every_range([value](uint32_t first, uint32_t end) {
            uint32_t expected = first;
            while (expected < end && is_set(kPattern, expected) != value) {
                ++expected;
            }
            ASSERT_EQ(find_bit(kPattern, first, end, value), expected) << first << " " << end;
        });
    }
}

TEST(Bits, TheFirstRunOfALengthIsFoundAcrossWords) {
    uint32_t found = 0;
    for_every_range([&found](uint32_t first, uint32_t end) {
        uint64_t bits[kWords];
        std::copy_n(kPattern, kWords, bits);
        set_bits(bits, first, end - first, true);
        for (const uint32_t length : {1U, 2U, 3U, 7U, 15U, 33U, 63U, 64U}) {
            uint32_t expected = 0;
            while (expected + length <= kBits &&
                   find_bit(bits, expected, expected + length, false) != expected + length) {
                ++expected;
            }
            expected = expected + length <= kBits ? expected : kBits;
            ASSERT_EQ(find_run(bits, 0, kBits, length), expected) << first << " " << end << " " << length;
            ASSERT_EQ(find_run(bits, expected, kBits, length), expected)
                << first << " " << end << " " << length;
            if (expected != kBits) {
                const uint32_t behind = find_run(bits, expected + 1, kBits, length);
                ASSERT_GT(behind, expected);
                ASSERT_TRUE(behind == kBits || count_bits(bits, behind, length) == length);
                ++found;
            }
        }
    });
    EXPECT_GT(found, 1000U);
}

TEST(Bits, CountingBackwardsStopsAtAClearBitOrAtTheMost) {
    for_every_range([](uint32_t most, uint32_t end) {
        uint32_t expected = 0;
        while (expected < std::min(most, end) && is_set(kPattern, end - 1 - expected)) {
            ++expected;
        }
        ASSERT_EQ(count_set_before(kPattern, end, most), expected) << most << " " << end;
    });
}

}  // namespace
}  // namespace hotlane
