// SPDX-License-Identifier: MIT
//
// Tests how allocation sites are found, named and summed, and which of them are suppressed.
#include "cli/analysis/sites.h"
#include "cli/analysis/suppressions.h"
#include "cli/profile/last_dumps.h"
#include "cli/text/function_name.h"
#include "cli/text/quantity.h"
#include "cli/text/shown_text.h"
#include "cli/text/text_file.h"

#include <gtest/gtest.h>
#include <limits>

namespace hotlane::cli {
namespace {

struct Named {
    const char* function;
    const char* file;
    const char* library;
    int64_t line;
};

/// Adds a stack of these frames, leaf first.
std::vector<uint32_t> frames_of(Profile& profile, std::initializer_list<Named> names) {
    std::vector<uint32_t> frames;
    for (const Named& name : names) {
        const uint32_t library = profile.add_library({name.library, 0, 0, 0});
        const uint32_t function = profile.add_function({name.function, name.file, library});
        frames.push_back(profile.add_frame({function, name.line, static_cast<uint64_t>(name.line), false}));
    }
    return frames;
}

AllocationTotals totals_of(int64_t objects, int64_t bytes) {
    AllocationTotals totals;
    totals.live = totals.cumulative = {objects, bytes, bytes};
    return totals;
}

TEST(Sites, AreTheFirstFrameOfTheProgramsOwn) {
    Profile profile;
    const char* standard = "/usr/include/c++/12/bits/new_allocator.h";
    profile.add_stack(
        frames_of(profile,
                  {{"malloc", "", "/usr/lib/libhotlane.so", 0},
                   {"operator new(unsigned long)", "", "libhotlane.so.0", 0},
                   {"std::__new_allocator<int>::allocate(unsigned long, void const*)", standard, "app", 137},
                   {"std::_Vector_base<int, std::allocator<int> >::_M_allocate(unsigned long)", standard,
                    "app", 378},
                   {"load(char const*)", "/src/load.cpp", "app", 12},
                   {"main", "/src/main.cpp", "app", 3}}),
        totals_of(1, 64));
    profile.add_stack(frames_of(profile, {{"load(char const*)", "/src/load.cpp", "app", 14}}),
                      totals_of(2, 256));
    profile.add_stack(frames_of(profile, {{"malloc", "", "libc.so.6", 0}}), totals_of(1, 8));
    profile.add_stack(
        frames_of(profile, {{"malloc", "", "libc.so.6", 0},
                            {"void std::vector<int>::_M_realloc_insert<int>()", standard, "app", 9},
                            {"std::thread::_State_impl::_M_run()", standard, "app", 10}}),
        totals_of(1, 7));
    const std::vector<AllocationSite> sites = sites_of(profile, Grouping::site, Order::live);
    ASSERT_EQ(sites.size(), 4U);
    EXPECT_EQ(sites[0].place, "load.cpp:14");
    EXPECT_EQ(sites[1].place, "load.cpp:12");
    EXPECT_EQ(sites[1].function, "load(char const*)");
    EXPECT_EQ(sites[2].function, "malloc");  // there is no other function
    EXPECT_EQ(sites[3].place, "new_allocator.h:9");
    const std::vector<AllocationSite> functions = sites_of(profile, Grouping::function, Order::live);
    ASSERT_EQ(functions.size(), 3U);
    EXPECT_EQ(functions[0].totals.live.bytes, 320);
    const std::vector<AllocationSite> libraries = sites_of(profile, Grouping::library, Order::count);
    ASSERT_EQ(libraries.size(), 2U);
    EXPECT_EQ(libraries[0].function, "app");
    EXPECT_EQ(libraries[0].totals.cumulative.objects, 4);
}

TEST(Sites, HaveShortNames) {
    EXPECT_EQ(short_name("main"), "main");
    EXPECT_EQ(short_name("std::vector<int, std::allocator<int> >::push_back(int const&)"),
              "std::vector<>::push_back");
    EXPECT_EQ(short_name("(anonymous namespace)::f(std::function<void (int)>) const"),
              "(anonymous namespace)::f");
    EXPECT_EQ(short_name("a::operator()(int)"), "a::operator()");
    EXPECT_EQ(short_name("operator<< <char>(x)"), "operator<<<>");
    EXPECT_EQ(short_name("std::unique_ptr<int>* ns::make<int>(int)"), "ns::make<>");
    EXPECT_EQ(short_name("unsigned long (anonymous namespace)::f<A>()"), "(anonymous namespace)::f<>");
    EXPECT_EQ(short_name("operator new(unsigned long)"), "operator new");
    EXPECT_EQ(short_name("S::operator bool() const"), "S::operator bool");
    EXPECT_EQ(short_name("f(int) [clone .cold]"), "f");
    EXPECT_EQ(short_name("a::operator->()"), "a::operator->");
    EXPECT_EQ(short_name("f(int)::{lambda(int)#1}::operator()(int) const"), "f::{lambda#1}::operator()");
    EXPECT_EQ(short_name("<alloc::vec::Vec<T> as core::clone::Clone>::clone"),
              "<alloc::vec::Vec<T> as core::clone::Clone>::clone");
    EXPECT_EQ(short_name("f(("), "f");
}

TEST(Sites, OfADifferenceAreThoseThatChanged) {
    Profile later;
    Profile base;
    later.add_stack(frames_of(later, {{"same", "", "", 1}}), totals_of(5, 500));
    later.add_stack(frames_of(later, {{"more", "", "", 2}}), totals_of(5, 500));
    base.add_stack(frames_of(base, {{"gone", "", "", 3}}), totals_of(7, 70));
    base.add_stack(frames_of(base, {{"more", "", "", 2}}), totals_of(1, 100));
    base.add_stack(frames_of(base, {{"same", "", "", 1}}), totals_of(5, 500));
    later.subtract(base);
    const std::vector<AllocationSite> sites = sites_of(later, Grouping::site, Order::live);
    ASSERT_EQ(sites.size(), 2U);
    EXPECT_EQ(sites[0].function, "more");
    EXPECT_EQ(sites[0].totals.live, (AllocationTotals::Amount{4, 400, 400}));
    EXPECT_EQ(sites[1].function, "gone");
    EXPECT_EQ(sites[1].totals.live, (AllocationTotals::Amount{-7, -70, -70}));
}

TEST(AllocationTotals, StaysAtTheLimits) {
    constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
    constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
    EXPECT_EQ(add_clamped(kMost, 1), kMost);
    EXPECT_EQ(add_clamped(kLeast, -1), kLeast);
    EXPECT_EQ(subtract_clamped(0, kLeast), kMost);
    EXPECT_EQ(subtract_clamped(-2, kMost), kLeast);
}

TEST(Suppressions, MatchAsLeakSanitizersDo) {
    EXPECT_TRUE(matches_pattern("pars", "app::parse"));
    EXPECT_FALSE(matches_pattern("^pars", "app::parse"));
    EXPECT_TRUE(matches_pattern("^app", "app::parse"));
    EXPECT_TRUE(matches_pattern("parse$", "app::parse"));
    EXPECT_FALSE(matches_pattern("pars$", "app::parse"));
    EXPECT_TRUE(matches_pattern("^app*parse$", "app::parse"));
    EXPECT_TRUE(matches_pattern("a*p*e", "app::parse"));
    EXPECT_FALSE(matches_pattern("e*a", "app::parse!"));
    EXPECT_FALSE(matches_pattern("^main$", "main2"));
    EXPECT_TRUE(matches_pattern("^main$", "main"));
    EXPECT_TRUE(matches_pattern("a*$", "abc"));
}

TEST(Suppressions, AreReadLineByLine) {
    const Suppressions suppressions =
        Suppressions::parse("# meant\n\n  leak:cache_* \nleak:libpython", "s.txt");
    Profile profile;
    profile.add_stack(frames_of(profile, {{"f", "", "app", 0}, {"cache_fill", "", "app", 0}}),
                      totals_of(1, 1));
    profile.add_stack(frames_of(profile, {{"g", "", "/usr/lib/libpython3.so", 0}}), totals_of(1, 1));
    profile.add_stack(frames_of(profile, {{"g", "cash.c", "app", 0}}), totals_of(1, 1));
    EXPECT_TRUE(suppressions.suppress(profile, profile.stacks()[0]));
    EXPECT_TRUE(suppressions.suppress(profile, profile.stacks()[1]));
    EXPECT_FALSE(suppressions.suppress(profile, profile.stacks()[2]));
    try {
        Suppressions::parse("leak:a\nrace:b\n", "s.txt");
        FAIL();
    } catch (const FileError& error) {
        EXPECT_STREQ(error.what(), "s.txt:2: expected leak:PATTERN");
    }
}

TEST(ShownText, HasNothingThatATerminalObeys) {
    EXPECT_EQ(shown_text("naïve 日本 😀"), "naïve 日本 😀");
    EXPECT_EQ(shown_text("a\nb\x1b[2J\x7f\t"), "a\\012b\\033[2J\\177\\011");
    EXPECT_EQ(shown_text("\u009b31m"), "\\302\\23331m");       // a control character of two bytes
    EXPECT_EQ(shown_text("\u202egnp"), "\\342\\200\\256gnp");  // would reverse the text after it
    EXPECT_EQ(shown_text("a\xff"
                         "b\xc3"),
              "a\\377b\\303");  // invalid UTF-8
    EXPECT_EQ(shown_text(shown_text("\\\n\\012")), shown_text("\\\n\\012"));
}

TEST(Quantity, AddressesAreHexadecimal) {
    EXPECT_EQ(hex_text(0), "0x0");
    EXPECT_EQ(hex_text(0x1136), "0x1136");
    EXPECT_EQ(hex_text(UINT64_MAX), "0xffffffffffffffff");
}

TEST(ShownText, IsCutBetweenCharacters) {
    EXPECT_EQ(cut_text("日本日本", 12), "日本日本");
    EXPECT_EQ(cut_text("日本日本x", 12), "日本日…");
    EXPECT_EQ(cut_text("日本日本", 11), "日本…");
    EXPECT_EQ(keep_end("日本日本", 11), "…日本");
    EXPECT_EQ(keep_end("abcdef", 5), "…ef");
}

TEST(FunctionName, IsBounded) {
    const std::string arguments(2000, 'x');
    EXPECT_EQ(bounded_name("app::f<" + arguments + ">(int)"), "app::f<>");
    EXPECT_EQ(bounded_name(arguments).size(), kLongestName);
    Profile profile;
    const uint32_t function = profile.add_function({arguments, arguments + "\n", 0});
    EXPECT_EQ(profile.functions()[function].name.size(), kLongestName);
    EXPECT_EQ(profile.functions()[function].file, arguments + "\\012");
}

ProfileOrigin dump_of(int64_t process, int64_t sequence, int64_t series, int64_t time_ns,
                      int64_t duration_ns) {
    ProfileOrigin origin;
    origin.program = "/opt/app";
    origin.process = process;
    origin.sequence = sequence;
    origin.series = series;
    origin.time_ns = time_ns;
    origin.duration_ns = duration_ns;
    return origin;
}

std::vector<size_t> last_of(const std::vector<ProfileOrigin>& origins) {
    std::vector<const ProfileOrigin*> pointers;
    for (const ProfileOrigin& origin : origins) {
        pointers.push_back(&origin);
    }
    return last_of_each_process(pointers);
}

TEST(LastDumps, OfEachProcessTheLastCounts) {
    using Indices = std::vector<size_t>;
    EXPECT_EQ(last_of({}), Indices{});
    EXPECT_EQ(last_of({dump_of(7, 0, 5, 0, 0), dump_of(7, 2, 5, 0, 0), dump_of(7, 1, 5, 0, 0)}),
              (Indices{1}));
    EXPECT_EQ(last_of({dump_of(7, 0, 5, 0, 0), dump_of(8, 0, 5, 0, 0), dump_of(7, 1, 5, 0, 0)}),
              (Indices{2, 1}));
    // The same process id in two containers, or reused later.
    EXPECT_EQ(last_of({dump_of(7, 0, 5, 0, 0), dump_of(7, 1, 6, 0, 0)}), (Indices{0, 1}));
    ProfileOrigin other = dump_of(7, 1, 5, 0, 0);
    other.program = "/opt/other";  // after exec
    EXPECT_EQ(last_of({dump_of(7, 0, 5, 0, 0), other}), (Indices{0, 1}));
    EXPECT_EQ(last_of({ProfileOrigin{}, ProfileOrigin{}}),
              (Indices{0, 1}));  // of allocators that write no header
}

TEST(LastDumps, OfOlderVersionsAreToldApartByTheirBegin) {
    using Indices = std::vector<size_t>;
    constexpr int64_t kSecond = 1'000'000'000;
    EXPECT_EQ(last_of({dump_of(7, 0, 0, 50 * kSecond, 10 * kSecond),
                       dump_of(7, 1, 0, 80 * kSecond + 9, 40 * kSecond)}),
              (Indices{1}));
    EXPECT_EQ(
        last_of({dump_of(7, 0, 0, 50 * kSecond, 10 * kSecond), dump_of(7, 1, 0, 80 * kSecond, 10 * kSecond)}),
        (Indices{0, 1}));
    EXPECT_EQ(last_of({dump_of(7, 0, 0, INT64_MAX, 0), dump_of(7, 1, 0, 0, INT64_MAX)}), (Indices{0, 1}));
}

}  // namespace
}  // namespace hotlane::cli
