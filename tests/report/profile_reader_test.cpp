// SPDX-License-Identifier: MIT
//
// Tests the reader of dumps: what it accepts and refuses, and that no input crashes it, the symboliser or an
// export.
#include "cli/analysis/leaks.h"
#include "cli/analysis/site_table.h"
#include "cli/export/json.h"
#include "cli/export/pprof.h"
#include "cli/export/stacks.h"
#include "cli/profile/reader.h"
#include "cli/symbols/symboliser.h"
#include "cli/text/text_file.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <random>
#include <unistd.h>

namespace hotlane::cli {
namespace {

/// The test program is one of the libraries, so that real symbols are read.
std::string good_dump() {
    char self[4096] = {};
    EXPECT_GT(readlink("/proc/self/exe", self, sizeof self - 1), 0);
    return "heap profile: 3: 400 [8: 900] @ heap_v2/1024\n"
           "# hotlane profile 1\n"
           "# program: /opt/app/server\n"
           "# process: 1234\n"
           "# time_ns: 4102444800000000000\n"
           "# duration_ns: 2000000000\n"
           "# reason: exit\n"
           "# sequence: 7\n"
           "# unwind: fp\n"
           "# samples: 11\n"
           "# lost_samples: 2\n"
           "# class: 64 hits=1000 misses=12 puts=990\n"
           "2: 200 [5: 320] @ 0x401136 0x402240 0x7f0000001234\n"
           "# site: live=81,5184,4000 total=200,12800,9000 temporary=100,6400 remote=3,192 "
           "lifetimes=12:100,24:19\n"
           "1: 200 [3: 580] @ 0x7f0000001238 0x500000\n"
           "\n"
           "MAPPED_LIBRARIES:\n"
           "00400000-00480000 r-xp 00000000 08:01 17                         " +
           std::string{self} +
           "\n"
           "7f0000000000-7f0000002000 r-xp 00001000 08:01 23                 /gone/lib with space.so\n"
           "7fff00000000-7fff00001000 r-xp 00000000 00:00 0                  [vdso]\n";
}

Dump parsed(const std::string& text) { return parse_dump(text, "x.heap"); }

std::string error_of(const std::string& text) {
    try {
        parsed(text);
        return "";
    } catch (const FileError& error) {
        return error.what();
    }
}

std::string with(std::string text, const std::string& part, const std::string& other) {
    const size_t at = text.find(part);
    EXPECT_NE(at, std::string::npos) << part;
    return text.replace(at, part.size(), other);
}

TEST(ProfileReader, TakesWhatTheLibraryCountedAsItIs) {
    const Dump dump = parsed(good_dump());
    EXPECT_EQ(dump.origin.program, "/opt/app/server");
    EXPECT_EQ(dump.origin.process, 1234);
    EXPECT_EQ(dump.origin.time_ns, 4102444800000000000);
    EXPECT_EQ(dump.origin.duration_ns, 2000000000);
    EXPECT_EQ(dump.origin.reason, "exit");
    EXPECT_EQ(dump.origin.sequence, 7);
    EXPECT_EQ(dump.origin.period, 1024);
    EXPECT_EQ(dump.origin.unwind, "fp");
    EXPECT_EQ(dump.origin.samples, 11);
    EXPECT_EQ(dump.origin.lost_samples, 2);
    EXPECT_EQ(dump.classes.at(64).hits, 1000);
    EXPECT_EQ(dump.classes.at(64).misses, 12);
    EXPECT_EQ(dump.classes.at(64).puts, 990);
    ASSERT_EQ(dump.entries.size(), 2U);
    const Dump::Entry& entry = dump.entries[0];
    EXPECT_EQ(entry.addresses, (std::vector<uint64_t>{0x401136, 0x402240, 0x7f0000001234}));
    EXPECT_EQ(entry.totals.live, (AllocationTotals::Amount{81, 5184, 4000}));
    EXPECT_EQ(entry.totals.cumulative, (AllocationTotals::Amount{200, 12800, 9000}));
    EXPECT_EQ(entry.totals.temporary, (AllocationTotals::Count{100, 6400}));
    EXPECT_EQ(entry.totals.remote, (AllocationTotals::Count{3, 192}));
    EXPECT_EQ(entry.totals.lifetimes, (std::map<int, int64_t>{{12, 100}, {24, 19}}));
    ASSERT_EQ(dump.mappings.size(), 3U);
    EXPECT_EQ(dump.mappings[1].path, "/gone/lib with space.so");
    EXPECT_EQ(dump.mappings[1].offset, 0x1000U);
}

TEST(ProfileReader, ScalesSamplesWhereNothingElseIsThere) {
    // One object of 200 bytes and three of 580 / 3, each scaled by 1 / (1 - exp(-size / 1024)).
    const AllocationTotals totals = parsed(good_dump()).entries.at(1).totals;
    EXPECT_EQ(totals.live, (AllocationTotals::Amount{6, 1127, 1127}));
    EXPECT_EQ(totals.cumulative, (AllocationTotals::Amount{17, 3371, 3371}));
}

TEST(ProfileReader, TakesExactCountsAsTheyAre) {
    for (const char* exact : {"heapprofile", "heap_v2/1"}) {
        const AllocationTotals totals = parsed(with(good_dump(), "heap_v2/1024", exact)).entries.at(1).totals;
        EXPECT_EQ(totals.live, (AllocationTotals::Amount{1, 200, 200})) << exact;
        EXPECT_EQ(totals.cumulative, (AllocationTotals::Amount{3, 580, 580})) << exact;
    }
}

TEST(ProfileReader, ReadsTheSizesOfRequests) {
    EXPECT_EQ(parse_dump(good_dump(), "x.heap").size_step, 0);
    const Dump dump = parse_dump(with(good_dump(), "# class: 64",
                                      "# size_step: 16\n# size: 208 requests=9 live=1,200 "
                                      "peak=5,1001 early=3\n# class: 64"),
                                 "x.heap");
    EXPECT_EQ(dump.size_step, 16);
    ASSERT_EQ(dump.sizes.size(), 1U);
    const Dump::RequestedSize& row = dump.sizes.at(208);
    EXPECT_EQ(row.requests, 9);
    EXPECT_EQ(row.live, 1);
    EXPECT_EQ(row.live_bytes, 200);
    EXPECT_EQ(row.peak, 5);
    EXPECT_EQ(row.peak_bytes, 1001);
    EXPECT_EQ(row.early, 3);
}

TEST(ProfileReader, NamesTheLineAndWhatWasExpected) {
    const std::string header = "x.heap:1: expected heap profile: LIVE: BYTES [ALL: BYTES] @ heap_v2/PERIOD";
    const std::string entry = "expected LIVE: BYTES [ALL: BYTES] @ ADDRESSES";
    const std::string mapping = "expected a line of /proc/PID/maps, in ascending order";
    const std::string good = good_dump();
    EXPECT_EQ(error_of(""), header);
    EXPECT_EQ(error_of("heap_v2/524288\n  t*: 1: 2 [0: 0]\n"), header);
    EXPECT_EQ(error_of(with(good, "/1024", "/0")), header);
    EXPECT_EQ(error_of(with(good, "3: 400", "3; 400")), header);
    EXPECT_EQ(error_of(with(good, "# process: 1234", "# process: many")),
              "x.heap:4: expected # process: NUMBER");
    EXPECT_EQ(error_of(with(good, "hits=1000", "hits=-1")),
              "x.heap:12: expected # class: SIZE hits=N misses=N puts=N");
    EXPECT_EQ(error_of(with(good, "# class: 64 hits=1000 misses=12 puts=990",
                            "# size: 64 requests=1 live=1 peak=1,1")),
              "x.heap:12: expected # size: SIZE requests=N live=N,BYTES peak=N,BYTES early=N");
    EXPECT_EQ(error_of(with(good, "2: 200 [", "2: 200 ")), "x.heap:13: " + entry);
    EXPECT_EQ(error_of(with(good, "2: 200 [", "2: 0 [")), "x.heap:13: " + entry);
    EXPECT_EQ(error_of(with(good, "2: 200 [", "-2: 200 [")), "x.heap:13: " + entry);
    EXPECT_EQ(error_of(with(good, "0x402240", "0x1ffffffffffffffff")), "x.heap:13: " + entry);
    EXPECT_EQ(error_of(with(good, " 0x7f0000001238 0x500000", "")), "x.heap:15: " + entry);
    const std::string site =
        "x.heap:14: expected # site: live=OBJECTS,BYTES,REQUESTED total=… of the entry before it";
    EXPECT_EQ(error_of(with(good, "live=81,5184,4000", "live=81,5184")), site);
    EXPECT_EQ(error_of(with(good, " total=", " sum=")), site);
    EXPECT_EQ(error_of(with(good, "24:19", "64:19")), site);
    EXPECT_EQ(error_of(with(good, "# site", "# note: x\n\n# site")).substr(0, 10), "x.heap:16:");
    EXPECT_EQ(error_of(with(good, "MAPPED_LIBRARIES:", "")), "x.heap:18: " + entry);
    EXPECT_EQ(error_of(good.substr(0, good.find("MAPPED"))),
              "x.heap:17: expected MAPPED_LIBRARIES:, the file is cut off");
    EXPECT_EQ(error_of(good.substr(0, good.find("00400000"))),
              "x.heap:18: " + mapping + ", the file is cut off");
    EXPECT_EQ(error_of(good.substr(0, good.size() - 1)),
              "x.heap:20: expected a whole line, the file is cut off");
    EXPECT_EQ(error_of(with(good, "7f0000000000-7f0000002000", "0-1000")), "x.heap:19: " + mapping);
    EXPECT_EQ(error_of(with(good, "7f0000000000-7f0000002000", "7f0000000000-7f0000000000")),
              "x.heap:19: " + mapping);
}

TEST(ProfileReader, ReadsPeaksPointsAndBuildIds) {
    const std::string old = good_dump();
    EXPECT_FALSE(parsed(old).origin.has_peak);
    const std::string news = "# begin_ns: 5\n# peak_ns: 7\n# point: 1 live=2 rss=3 requests=4 misses=5\n"
                             "# point: 9 live=1 rss=3 requests=6 misses=5\n# build_id: 0x400000 0aff\n";
    const std::string text =
        with(with(old, "\nMAPPED", news + "\nMAPPED"), " total=", " peak=2,128,100 total=");
    const Dump dump = parsed(text);
    EXPECT_EQ(dump.entries.front().totals.peak.requested, 100);
    ASSERT_EQ(dump.timeline.size(), 2U);
    EXPECT_EQ(dump.timeline.back().requests, 6);
    EXPECT_EQ(dump.origin.peak_ns, 7);
    EXPECT_EQ(dump.mappings.front().build_id, "0aff");
    const std::string point =
        "expected # point: TIME live=BYTES rss=BYTES requests=N misses=N, in order of time";
    const auto reason = [](const std::string& error) { return error.substr(error.find("expected")); };
    EXPECT_EQ(reason(error_of(with(text, "point: 9", "point: 0"))), point);
    EXPECT_EQ(reason(error_of(with(text, "live=2 rss", "live=-2 rss"))), point);
    EXPECT_EQ(reason(error_of(with(text, "misses=5\n#", "misses=5 x\n#"))), point);
    EXPECT_EQ(reason(error_of(with(text, "requests=4", "requests=99999999999999999999"))), point);
    EXPECT_EQ(reason(error_of(with(text, "0aff", "0aFg"))), "expected # build_id: ADDRESS HEX");
    EXPECT_EQ(reason(error_of(with(text, "0aff", std::string(130, 'a')))),
              "expected # build_id: ADDRESS HEX");
    EXPECT_EQ(reason(error_of(with(text, "peak_ns: 7", "peak_ns: x"))), "expected # peak_ns: NUMBER");
    EXPECT_NE(error_of(with(text, "peak=2,128,100", "peak=2,128")), "");
}

TEST(ProfileReader, SaysWhyAFileCannotBeRead) {
    EXPECT_THROW(read_dump("/nowhere/x.heap"), FileError);
    EXPECT_THROW(read_dump("/"), FileError);
    EXPECT_THROW(read_dump("/dev/zero"), FileError);  // the device never ends
    EXPECT_THROW(read_dump("/dev/null"), FileError);
}

TEST(Symboliser, NamesWhatItCanAndPlacesTheRest) {
    Symboliser symboliser{[](size_t, size_t) {}};
    const Profile profile = symboliser.symbolise(parsed(good_dump()));
    ASSERT_EQ(profile.stacks().size(), 2U);
    const Profile::Stack& second = profile.stacks()[1];
    ASSERT_EQ(second.frames.size(), 2U);
    // The return address minus 1, relative to the library; and an address in no library.
    EXPECT_EQ(profile.function_of(second.frames[0]).name, "lib with space.so+0x1237");
    EXPECT_EQ(profile.library_of(second.frames[0]).path, "/gone/lib with space.so");
    EXPECT_EQ(profile.frames()[second.frames[0]].address, 0x1237U);
    EXPECT_EQ(profile.function_of(second.frames[1]).name, "0x4fffff");
}

/// Runs all processing of dumps on an arbitrary text.
void use(Symboliser& symboliser, const std::string& text, size_t& read) {
    Profile profile;
    try {
        profile = symboliser.symbolise(parsed(text));
    } catch (const FileError& error) {
        const std::string what = error.what();
        ASSERT_TRUE(what.starts_with("x.heap:")) << what;
        ASSERT_EQ(what.find('\n'), std::string::npos) << what;
        return;
    }
    ++read;
    const Profile once = profile;
    profile.add(once);
    profile.subtract(once);
    EXPECT_FALSE(site_table(profile, {}).empty());
    EXPECT_FALSE(find_leaks(profile, {}, 3).text.empty());
    EXPECT_FALSE(export_pprof(profile).empty());
    EXPECT_FALSE(to_json(profile).dump().empty());
    EXPECT_FALSE(export_speedscope(profile, Order::slack).empty());
    export_folded(profile, Order::count);
}

/// Makes one to four changes to a few bytes, a line or a number.
std::string mutated(std::string text, std::mt19937& random) {
    const std::string good = text;
    const auto below = [&random](size_t n) { return n == 0 ? 0 : random() % n; };
    const char* const numbers[] = {"0",
                                   "1",
                                   "9223372036854775807",
                                   "9223372036854775808",
                                   "18446744073709551615",
                                   "-1",
                                   "99999999999999999999",
                                   "0xffffffffffffffff",
                                   "\xff\xfe",
                                   "%n"};
    for (size_t changes = 1 + below(4); changes > 0; --changes) {
        const size_t at = below(text.size());
        const size_t digit = std::min(text.find_first_of("0123456789", at), text.size());
        const size_t line = std::min(text.find('\n', at), text.size());
        switch (below(7)) {
        case 0:
            text.resize(at);
            break;
        case 1:
            text.insert(at, 1, static_cast<char>(below(256)));
            break;
        case 2:
            text.erase(at, 1 + below(8));
            break;
        case 3: {
            const size_t end = std::min(text.find_first_not_of("0123456789", digit), text.size());
            text.replace(digit, end - digit, numbers[below(std::size(numbers))]);
            break;
        }
        case 4:
            text.insert(line, good.substr(below(good.size()), below(200)));
            break;
        case 5:
            text.erase(at, line - at);
            break;
        default:
            if (at < text.size()) {
                text[at] = static_cast<char>(text[at] ^ (1U << below(8)));
            }
        }
    }
    return text;
}

TEST(ProfileReader, SurvivesEveryCut) {
    Symboliser symboliser{[](size_t, size_t) {}};
    const std::string good = good_dump();
    size_t read = 0;
    for (size_t size = 0; size <= good.size(); ++size) {
        use(symboliser, good.substr(0, size), read);
    }
    EXPECT_EQ(read, 3U);  // the whole dump, and two that end after a complete mapping
}

TEST(ProfileReader, SurvivesWhateverAFileHolds) {
    constexpr size_t kRounds = 10'000;
    std::mt19937 random{20261121};  // NOLINT: the same files in every run
    Symboliser symboliser{[](size_t, size_t) {}};
    const std::string good = good_dump();
    size_t read = 0;
    for (size_t round = 0; round < kRounds && !HasFatalFailure(); ++round) {
        use(symboliser, mutated(good, random), read);
    }
    // Some of them were refused, and some were not.
    EXPECT_GT(read, kRounds / 20);
    EXPECT_LT(read, kRounds);
}

}  // namespace
}  // namespace hotlane::cli
