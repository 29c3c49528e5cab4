// SPDX-License-Identifier: MIT
//
// Tests the labels of HOTLANE_LABELS: which ones are valid, and that every report has them.
#include "options/labels.h"
#include "reports/report.h"

#include "snapshots.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <sstream>
#include <string>
#include <vector>

namespace hotlane {
namespace {

std::string report(const Snapshot& snapshot, StatsFormat format) {
    static char memory[256 * KiB];
    Writer out{memory, sizeof memory};
    write_report(out, snapshot, format);
    EXPECT_TRUE(out.ok());
    return {memory, out.bytes_written()};
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in{text};
    for (std::string line; std::getline(in, line);) {
        lines.push_back(line);
    }
    return lines;
}

TEST(Labels, AreTakenOffOneByOne) {
    std::string_view list = "zone=b,note=a=b,empty=";
    Label label = take_label(list);
    EXPECT_EQ((std::pair{label.name, label.value}),
              (std::pair<std::string_view, std::string_view>{"zone", "b"}));
    label = take_label(list);
    EXPECT_EQ((std::pair{label.name, label.value}),
              (std::pair<std::string_view, std::string_view>{"note", "a=b"}));
    label = take_label(list);
    EXPECT_EQ((std::pair{label.name, label.value}),
              (std::pair<std::string_view, std::string_view>{"empty", ""}));
    EXPECT_TRUE(list.empty());
}

Snapshot labelled(Snapshot snapshot, const char* labels) {
    snapshot.labels = labels;
    return snapshot;
}

TEST(Labels, AreInEveryReport) {
    const Snapshot s = labelled(small_snapshot(), "zone=b,note=a\"\n=c");
    for (const std::string& line : lines_of(report(s, StatsFormat::prometheus))) {
        if (!line.starts_with("#")) {
            const std::string all = R"(program="python3",pid="4242",zone="b",note="a\"\n=c"} )";
            EXPECT_NE(line.find(all), std::string::npos) << line;
        }
    }
    const auto document = nlohmann::json::parse(report(s, StatsFormat::json));
    EXPECT_EQ(document["process"]["labels"], (nlohmann::json{{"zone", "b"}, {"note", "a\"\n=c"}}));
    EXPECT_NE(report(s, StatsFormat::text).find("\nhotlane: labels   zone=b,note=a\"\\012=c\n"),
              std::string::npos);
}

TEST(Labels, TakeALineOfTheTextReportFromTheClasses) {
    const std::string many(255, 'x');
    const Snapshot s = labelled(widest_snapshot(), many.c_str());
    const std::vector<std::string> lines = lines_of(report(s, StatsFormat::text));
    EXPECT_EQ(lines.size(), lines_of(report(widest_snapshot(), StatsFormat::text)).size());
    for (const std::string& line : lines) {
        EXPECT_LE(line.size(), 100U) << line;
    }
}

}  // namespace
}  // namespace hotlane
