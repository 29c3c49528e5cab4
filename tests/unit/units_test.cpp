// SPDX-License-Identifier: MIT
//
// Tests numbers with units: what is accepted, what is refused, and that printed numbers can be read back.
#include "text/units.h"

#include <gtest/gtest.h>

#include <string>

namespace hotlane {
namespace {

constexpr uint64_t kUntouched = 0x5a5a5a5a5a5a5a5a;

template <class Parse>
uint64_t parsed(Parse parse, std::string_view text) {
    uint64_t value = kUntouched;
    const bool good = parse(text, value);
    EXPECT_EQ(good, value != kUntouched) << text;
    return value;
}

template <class Write>
std::string printed(Write write, uint64_t n) {
    char memory[64];
    Writer out{memory, sizeof memory};
    write(out, n);
    return {memory, out.bytes_written()};
}

TEST(Units, ParsesSizes) {
    EXPECT_EQ(parsed(parse_size, "0"), 0U);
    EXPECT_EQ(parsed(parse_size, "4096"), 4096U);
    EXPECT_EQ(parsed(parse_size, "17B"), 17U);
    for (const char* text : {"64K", "64k", "64KB", "64KiB", "64kib", "0.0625M", "65536"}) {
        EXPECT_EQ(parsed(parse_size, text), 64 * KiB) << text;
    }
    EXPECT_EQ(parsed(parse_size, "1.5G"), GiB + GiB / 2);
    EXPECT_EQ(parsed(parse_size, "2TiB"), 2048 * GiB);
    EXPECT_EQ(parsed(parse_size, ".5M"), MiB / 2);
}

TEST(Units, RefusesWhatIsNoSize) {
    for (const char* text : {"", "K", "-1", "+1", "1 K", "1KK", "1iB", "1Kx", "1.2.3", ".", "1e3", "0x10",
                             "64Q", "1000000000000000000000", "999999999999999999T"}) {
        EXPECT_EQ(parsed(parse_size, text), kUntouched) << text;
    }
}

TEST(Units, ParsesDurations) {
    EXPECT_EQ(parsed(parse_duration, "0"), 0U);
    EXPECT_EQ(parsed(parse_duration, "7ns"), 7U);
    EXPECT_EQ(parsed(parse_duration, "250us"), 250'000U);
    EXPECT_EQ(parsed(parse_duration, "1.5ms"), 1'500'000U);
    EXPECT_EQ(parsed(parse_duration, "10s"), 10'000'000'000U);
    EXPECT_EQ(parsed(parse_duration, "2m"), 120'000'000'000U);
    EXPECT_EQ(parsed(parse_duration, "1h"), 3'600'000'000'000U);
    for (const char* text : {"", "10", "s", "1 s", "1S", "1d", "1ss", "-1s", "999999999999999999h"}) {
        EXPECT_EQ(parsed(parse_duration, text), kUntouched) << text;
    }
}

TEST(Units, ParsesPercentages) {
    double percent = -1;
    EXPECT_TRUE(parse_percent("90", percent));
    EXPECT_DOUBLE_EQ(percent, 90);
    EXPECT_TRUE(parse_percent("99.5%", percent));
    EXPECT_DOUBLE_EQ(percent, 99.5);
    for (const char* text : {"", "%", "x", "9%%", "-3", "nan"}) {
        EXPECT_FALSE(parse_percent(text, percent)) << text;
    }
    EXPECT_DOUBLE_EQ(percent, 99.5);
}

TEST(Units, ParsesCounts) {
    EXPECT_EQ(parsed(parse_count, "1000"), 1000U);
    for (const char* text : {"", "1.0", "1K", "-1", "1234567890123456789"}) {
        EXPECT_EQ(parsed(parse_count, text), kUntouched) << text;
    }
}

TEST(Units, ExactFormsReadBack) {
    EXPECT_EQ(printed(write_size, 256 * KiB), "256K");
    EXPECT_EQ(printed(write_size, 1025), "1025");
    EXPECT_EQ(printed(write_duration, 1'000'000'000), "1s");
    EXPECT_EQ(printed(write_duration, 90'000'000'000), "90s");
    for (uint64_t n = 0; n < 3'000'000'000'000; n = n * 3 + 1) {
        EXPECT_EQ(parsed(parse_size, printed(write_size, n)), n);
        EXPECT_EQ(parsed(parse_size, printed(write_size, n * KiB)), n * KiB);
        EXPECT_EQ(parsed(parse_duration, printed(write_duration, n)), n);
        EXPECT_EQ(parsed(parse_duration, printed(write_duration, n * 1000)), n * 1000);
    }
}

TEST(Units, RoundedFormsForReaders) {
    const auto size = [](uint64_t n) {
        return printed([](Writer& o, uint64_t v) { write_rounded_size(o, v); }, n);
    };
    EXPECT_EQ(size(0), "0 B");
    EXPECT_EQ(size(1023), "1023 B");
    EXPECT_EQ(size(64 * KiB), "64 KiB");
    EXPECT_EQ(size(1536 * KiB), "1.5 MiB");
    EXPECT_EQ(size(100 * MiB + 300 * KiB), "100 MiB");
    EXPECT_EQ(size(UINT64_MAX), "16777216 TiB");

    const auto count = [](uint64_t n) {
        return printed([](Writer& o, uint64_t v) { write_rounded_count(o, v); }, n);
    };
    EXPECT_EQ(count(0), "0");
    EXPECT_EQ(count(999), "999");
    EXPECT_EQ(count(1000), "1,000");
    EXPECT_EQ(count(980'007), "980,007");
    EXPECT_EQ(count(12'345'678), "12.35 M");
    EXPECT_EQ(count(1'234'567'890), "1.235 G");
    EXPECT_EQ(count(1'000'000), "1.000 M");
    EXPECT_EQ(count(999'940'000), "999.9 M");
    EXPECT_EQ(count(999'999'999), "1.000 G");
    EXPECT_EQ(count(UINT64_MAX), "18.45 E");

    const auto time = [](uint64_t n) {
        return printed([](Writer& o, uint64_t v) { write_rounded_duration(o, v); }, n);
    };
    EXPECT_EQ(time(0), "0 s");
    EXPECT_EQ(time(999), "999 ns");
    EXPECT_EQ(time(1'500'000), "1.50 ms");
    EXPECT_EQ(time(12'345'678'901), "12.3 s");
    EXPECT_EQ(time(125'000'000'000), "2 min 5 s");
    EXPECT_EQ(time(7'380'000'000'000), "2 h 3 min");
}

TEST(Units, RoundedCountsAreSevenWideAtMost) {
    for (uint64_t n = 1; n < UINT64_MAX / 7; n = n * 7 / 3 + 1) {
        EXPECT_LE(printed([](Writer& o, uint64_t v) { write_rounded_count(o, v); }, n).size(), 7U) << n;
    }
}

TEST(Units, GroupedCountsAreExact) {
    EXPECT_EQ(printed(write_grouped_count, 0), "0");
    EXPECT_EQ(printed(write_grouped_count, 1'002'034), "1,002,034");
    EXPECT_EQ(printed(write_grouped_count, UINT64_MAX), "18,446,744,073,709,551,615");
}

TEST(Units, RoundedFormsAreRightAligned) {
    EXPECT_EQ(printed([](Writer& out, uint64_t n) { write_rounded_count(out, n, 8); }, 1234), "   1,234");
}

}  // namespace
}  // namespace hotlane
