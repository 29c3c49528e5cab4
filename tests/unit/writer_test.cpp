// SPDX-License-Identifier: MIT
//
// Tests the writer: every conversion at its limits, both kinds of target, and the state after a failure.
#include "text/writer.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <fcntl.h>
#include <limits>
#include <string>
#include <unistd.h>

namespace hotlane {
namespace {

/// What `write` produces in a writer with enough room.
template <class Write>
std::string written(Write write) {
    char memory[8192];
    Writer out{memory, sizeof memory};
    write(out);
    EXPECT_TRUE(out.ok());
    return {memory, out.bytes_written()};
}

TEST(Writer, Numbers) {
    EXPECT_EQ(written([](Writer& out) { out.number(0); }), "0");
    EXPECT_EQ(written([](Writer& out) { out.number(UINT64_MAX); }), "18446744073709551615");
    EXPECT_EQ(written([](Writer& out) { out.signed_number(-1).text(" ").signed_number(7); }), "-1 7");
    EXPECT_EQ(written([](Writer& out) { out.signed_number(INT64_MIN); }), "-9223372036854775808");
    EXPECT_EQ(written([](Writer& out) { out.hex(0).text(" ").hex(0xdeadbeef); }), "0x0 0xdeadbeef");
    EXPECT_EQ(written([](Writer& out) { out.hex(UINT64_MAX); }), "0xffffffffffffffff");
}

TEST(Writer, FixedRoundsAndCarries) {
    const auto fixed = [](double value, unsigned decimals) {
        return written([&](Writer& out) { out.fixed(value, decimals); });
    };
    EXPECT_EQ(fixed(0, 2), "0.00");
    EXPECT_EQ(fixed(99.946, 2), "99.95");
    EXPECT_EQ(fixed(99.996, 2), "100.00");
    EXPECT_EQ(fixed(2.5, 0), "3");
    EXPECT_EQ(fixed(1.05, 1), "1.1");
    EXPECT_EQ(fixed(-0.25, 2), "-0.25");
    EXPECT_EQ(fixed(0.000000001, 9), "0.000000001");
    EXPECT_EQ(fixed(1e15, 3), "1000000000000000.000");
    EXPECT_EQ(fixed(1e300, 1), "inf");
    EXPECT_EQ(fixed(-std::numeric_limits<double>::infinity(), 1), "-inf");
    EXPECT_EQ(fixed(std::numeric_limits<double>::quiet_NaN(), 1), "nan");
}

TEST(Writer, Padding) {
    EXPECT_EQ(written([](Writer& out) { out.right("ab", 5).text("|").left("ab", 5).text("|"); }),
              "   ab|ab   |");
    EXPECT_EQ(written([](Writer& out) { out.right("abcdef", 5).left("abcdef", 5); }), "abcdefabcdef");
    EXPECT_EQ(written([](Writer& out) { out.spaces(3); }), "   ");
}

TEST(Writer, QuotedIsJson) {
    EXPECT_EQ(written([](Writer& out) { out.quoted("a\"b\\c\nd\x01\x7f"); }), R"("a\"b\\c\nd\u0001\u007f")");
    EXPECT_EQ(written([](Writer& out) { out.quoted("grüße"); }), "\"grüße\"");
    EXPECT_EQ(written([](Writer& out) { out.quoted("\u009b\u202e"); }), R"("\u009b\u202e")");
}

TEST(Writer, LabelValueIsPrometheuss) {
    EXPECT_EQ(written([](Writer& out) { out.label_value("a\"b\\c\nd"); }), R"("a\"b\\c\nd")");
    EXPECT_EQ(written([](Writer& out) { out.label_value("\x1b\u009bü\xff"); }),
              "\"\xef\xbf\xbd\xef\xbf\xbdü\xef\xbf\xbd\"");
}

TEST(Writer, ShownStopsAtWholeCharacters) {
    EXPECT_EQ(written([](Writer& out) { out.shown("a\nb\x1b[2Jü\u202e"); }),
              "a\\012b\\033[2Jü\\342\\200\\256");
    EXPECT_EQ(written([](Writer& out) { out.shown("abü", 3); }), "ab");
    EXPECT_EQ(written([](Writer& out) { out.shown("ab\n", 5); }), "ab");
    EXPECT_EQ(written([](Writer& out) { out.shown("ab\n", 6); }), "ab\\012");
}

TEST(Writer, QuotedReplacesWhatIsNoUtf8) {
    const auto quoted = [](std::string_view s) { return written([s](Writer& out) { out.quoted(s); }); };
    const std::string bad = "\xef\xbf\xbd";
    EXPECT_EQ(quoted("a\xff"
                     "b"),
              "\"a" + bad + "b\"");
    EXPECT_EQ(quoted("gr\xc3"), "\"gr" + bad + "\"");                            // truncated
    EXPECT_EQ(quoted("\xc0\xaf"), "\"" + bad + bad + "\"");                      // overlong
    EXPECT_EQ(quoted("\xed\xa0\x80"), "\"" + bad + bad + bad + "\"");            // a surrogate
    EXPECT_EQ(quoted("\xf4\x90\x80\x80"), "\"" + bad + bad + bad + bad + "\"");  // beyond U+10FFFF
    EXPECT_EQ(quoted("\xe2\x82\xac\xf0\x9f\x8e\x88\xf4\x8f\xbf\xbf"),
              "\"\xe2\x82\xac\xf0\x9f\x8e\x88\xf4\x8f\xbf\xbf\"");
}

TEST(Writer, MemoryTargetKeepsItsBound) {
    char memory[8] = "#######";
    Writer out{memory, 5};
    out.text("abc").text("defg").text("h");
    EXPECT_FALSE(out.ok());
    EXPECT_EQ(out.bytes_written(), 5U);
    EXPECT_EQ(std::string(memory, 7), "abcde##");
}

class WriterToPipe : public testing::Test {
  protected:
    void SetUp() override { ASSERT_EQ(pipe2(ends_, O_CLOEXEC), 0); }
    void TearDown() override {
        close(ends_[0]);
        close(ends_[1]);
    }
    std::string take() {
        char bytes[32768];
        const ssize_t count = read(ends_[0], bytes, sizeof bytes);
        return {bytes, count > 0 ? static_cast<size_t>(count) : 0};
    }
    int ends_[2] = {};
};

TEST_F(WriterToPipe, HandsOnFullBuffersAndTheRest) {
    std::string expected;
    Writer out{ends_[1]};
    for (unsigned i = 0; i < 2000; ++i) {
        out.number(i).text(" ");
        expected += std::to_string(i) + " ";
    }
    EXPECT_TRUE(out.flush());
    EXPECT_EQ(take(), expected);
    EXPECT_EQ(out.bytes_written(), expected.size());
}

TEST_F(WriterToPipe, DestructorFlushes) {
    { Writer{ends_[1]}.text("at the end"); }
    EXPECT_EQ(take(), "at the end");
}

TEST_F(WriterToPipe, FailureIsSticky) {
    Writer out{ends_[0]};  // the reading end of the pipe cannot be written to
    out.text("lost");
    EXPECT_TRUE(out.ok());
    EXPECT_FALSE(out.flush());
    EXPECT_FALSE(out.text("more").ok());
    EXPECT_FALSE(out.flush());
}

TEST(Message, IsOneLineAndKeepsItsEndWhenLong) {
    testing::internal::CaptureStderr();
    message("HOTLANE_X=\"", "7", "\": ", "expected ", "8");
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "hotlane: HOTLANE_X=\"7\": expected 8\n");
    testing::internal::CaptureStderr();
    message("cannot write ", "/tmp/a\nb\x1b[2J");
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "hotlane: cannot write /tmp/a\\012b\\033[2J\n");
    testing::internal::CaptureStderr();
    message(std::string(5000, 'x'));
    const std::string line = testing::internal::GetCapturedStderr();
    EXPECT_EQ(line.size(), 2048U);
    EXPECT_EQ(line.back(), '\n');
}

TEST(CheckDeathTest, NamesPlaceAndCondition) {
    EXPECT_DEATH(HOTLANE_CHECK(1 + 1 == 3),
                 "^hotlane: writer_test.cpp:[0-9]+: check failed: 1 [+] 1 == 3\n$");
}

}  // namespace
}  // namespace hotlane
