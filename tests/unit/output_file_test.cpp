// SPDX-License-Identifier: MIT
//
// Tests output files: their names, what is replaced, what is written in place, and what is refused.
#include "reports/output_file.h"

#include "reports/report.h"
#include "snapshots.h"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace hotlane {
namespace {

std::string report(const Snapshot& snapshot, StatsFormat format) {
    static char memory[256 * KiB];
    Writer out{memory, sizeof memory};
    write_report(out, snapshot, format);
    return {memory, out.bytes_written()};
}

TEST(ExpandPath, ReplacesWhatItKnows) {
    char path[32];
    const NameFields s{.process_id = 4242, .program = "python3", .number = 7};
    ASSERT_TRUE(expand_path("%n", s, path, sizeof path));
    EXPECT_STREQ(path, "7");
    ASSERT_TRUE(expand_path("/tmp/%e.%p.%%p%x%", s, path, sizeof path));
    EXPECT_STREQ(path, "/tmp/python3.4242.%p%x%");
    EXPECT_TRUE(expand_path(std::string(31, 'x').c_str(), s, path, sizeof path));
    EXPECT_FALSE(expand_path(std::string(32, 'x').c_str(), s, path, sizeof path));
}

/// A temporary directory that is removed after the test.
class ReportFile : public testing::Test {
  protected:
    void SetUp() override {
        char name[] = "/tmp/hotlane-report-XXXXXX";
        ASSERT_NE(mkdtemp(name), nullptr);
        directory_ = name;
    }
    void TearDown() override { std::filesystem::remove_all(directory_); }
    std::string path(const char* name) const { return directory_ + "/" + name; }
    static std::string contents(const std::string& path) {
        std::ifstream in{path};
        return {std::istreambuf_iterator<char>{in}, {}};
    }
    std::vector<std::string> names() const {
        std::vector<std::string> found;
        for (const auto& entry : std::filesystem::directory_iterator{directory_}) {
            found.push_back(entry.path().filename());
        }
        return found;
    }
    std::string directory_;
};

TEST_F(ReportFile, ReplacesTheOldOneAsAWhole) {
    const Snapshot s = small_snapshot();
    std::ofstream{path("python3.4242.json")} << "what was there";
    std::ifstream reader{path("python3.4242.json")};
    for (const StatsFormat format : {StatsFormat::text, StatsFormat::prometheus, StatsFormat::json}) {
        EXPECT_TRUE(write_report_file(path("%e.%p.json").c_str(), s, format));
        EXPECT_EQ(contents(path("python3.4242.json")), report(s, format));
    }
    EXPECT_EQ(names(), std::vector<std::string>{"python3.4242.json"});
    // A process that has the old file open continues to read the old contents, not a mixture.
    EXPECT_EQ((std::string{std::istreambuf_iterator<char>{reader}, {}}), "what was there");
}

TEST_F(ReportFile, LinksOfTheUserAreFollowed) {
    std::filesystem::create_directory(path("there"));
    std::ofstream{path("there/target")} << "x";
    std::filesystem::create_symlink("there/link", path("link"));
    std::filesystem::create_symlink("target", path("there/link"));
    EXPECT_TRUE(write_report_file(path("link").c_str(), small_snapshot(), StatsFormat::json));
    EXPECT_TRUE(std::filesystem::is_symlink(path("link")));
    EXPECT_TRUE(std::filesystem::is_symlink(path("there/link")));
    EXPECT_EQ(contents(path("there/target")), report(small_snapshot(), StatsFormat::json));
}

TEST_F(ReportFile, DevicesAndOwnDescriptorsAreWrittenDirectly) {
    const Snapshot s = small_snapshot();
    EXPECT_TRUE(write_report_file("/dev/null", s, StatsFormat::json));
    struct stat status {};
    ASSERT_EQ(stat("/dev/null", &status), 0);
    EXPECT_TRUE(S_ISCHR(status.st_mode));
    // A log is appended to: it is neither emptied nor replaced.
    std::ofstream{path("log")} << "first\n";
    const int log = open(path("log").c_str(), O_WRONLY | O_APPEND);
    ASSERT_GE(log, 0);
    std::filesystem::create_symlink("/proc/self/fd/" + std::to_string(log), path("link"));
    for (const std::string& name : {"/dev/fd/" + std::to_string(log), path("link")}) {
        EXPECT_TRUE(write_report_file(name.c_str(), s, StatsFormat::json));
    }
    close(log);
    const std::string once = report(s, StatsFormat::json);
    EXPECT_EQ(contents(path("log")), "first\n" + once + once);
}

TEST_F(ReportFile, ALinkPlantedInPlaceOfTheTemporaryFileIsNotFollowed) {
    const Snapshot s = small_snapshot();
    std::ofstream{path("victim")} << "precious";
    std::filesystem::create_symlink("victim", path("live.prom.4242.tmp"));
    EXPECT_TRUE(write_report_file(path("live.prom").c_str(), s, StatsFormat::json));
    EXPECT_EQ(contents(path("victim")), "precious");
    EXPECT_EQ(contents(path("live.prom")), report(s, StatsFormat::json));
}

TEST_F(ReportFile, LinksOfAnotherUserAreNotFollowed) {
    if (geteuid() != 0) {
        GTEST_SKIP() << "only root can give a link away";
    }
    constexpr uid_t kNobody = 65534;
    std::ofstream{path("victim")} << "precious";
    std::filesystem::create_symlink("victim", path("link"));
    ASSERT_EQ(lchown(path("link").c_str(), kNobody, kNobody), 0);
    testing::internal::CaptureStderr();
    EXPECT_FALSE(write_report_file(path("link").c_str(), small_snapshot(), StatsFormat::json));
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "hotlane: cannot write the statistics to " +
                                                          path("link") + ": a link that another user made\n");
    EXPECT_EQ(contents(path("victim")), "precious");
}

TEST_F(ReportFile, WhatIsNoFileToBeReplacedIsRefusedAtOnce) {
    ASSERT_EQ(mkfifo(path("fifo").c_str(), 0600), 0);
    std::filesystem::create_directory(path("directory"));
    std::filesystem::create_symlink("fifo", path("link"));
    std::filesystem::create_symlink("loop", path("loop"));
    const std::pair<const char*, const char*> cases[] = {
        {"fifo", "a FIFO, not a regular file or /dev/stderr"},
        {"link", "a FIFO, not a regular file or /dev/stderr"},
        {"directory", "a directory, not a regular file"},
        {"loop", "too many links, one after the other"},
    };
    for (const auto& [name, why] : cases) {
        testing::internal::CaptureStderr();
        EXPECT_FALSE(write_report_file(path(name).c_str(), small_snapshot(), StatsFormat::json));
        EXPECT_EQ(testing::internal::GetCapturedStderr(),
                  "hotlane: cannot write the statistics to " + path(name) + ": " + why + "\n");
    }
    EXPECT_EQ(names().size(), 4U);
}

TEST_F(ReportFile, ThePermissionsOfTheOldFileAreKept) {
    std::ofstream{path("secret")} << "x";
    std::filesystem::permissions(path("secret"), std::filesystem::perms{0600});
    EXPECT_TRUE(write_report_file(path("secret").c_str(), small_snapshot(), StatsFormat::json));
    EXPECT_EQ(std::filesystem::status(path("secret")).permissions(), std::filesystem::perms{0600});
}

TEST_F(ReportFile, ARenameThatFailsIsAFailureAndLeavesNothing) {
    OutputFile file(path("report").c_str());
    ASSERT_GE(file.descriptor(), 0);
    EXPECT_EQ(names().size(), 1U);
    std::filesystem::create_directory(path("report"));
    EXPECT_FALSE(file.finish(true));
    EXPECT_STREQ(file.problem(), "Is a directory");
    EXPECT_EQ(names(), std::vector<std::string>{"report"});
}

TEST_F(ReportFile, WhatIsNotFinishedLeavesNothing) {
    { const OutputFile file(path("report").c_str()); }
    EXPECT_TRUE(names().empty());
}

TEST_F(ReportFile, FailureIsOneLineAndLeavesNothing) {
    const Snapshot s = small_snapshot();
    testing::internal::CaptureStderr();
    EXPECT_FALSE(write_report_file(path("no/such/directory").c_str(), s, StatsFormat::json));
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "hotlane: cannot write the statistics to " +
                                                          path("no/such/directory") +
                                                          ": No such file or directory\n");
    testing::internal::CaptureStderr();
    EXPECT_FALSE(write_report_file(std::string(Config::kPathCapacity - 2, '%').append("%p").c_str(), s,
                                   StatsFormat::json) &&
                 write_report_file(std::string(Config::kPathCapacity, 'x').c_str(), s, StatsFormat::json));
    EXPECT_EQ(testing::internal::GetCapturedStderr().find("hotlane: "), 0U);
    EXPECT_TRUE(names().empty());
}

TEST_F(ReportFile, AFullDiskLeavesTheOldFile) {
    testing::internal::CaptureStderr();
    EXPECT_FALSE(write_report_file("/dev/full", small_snapshot(), StatsFormat::json));
    EXPECT_EQ(testing::internal::GetCapturedStderr(),
              "hotlane: cannot write the statistics to /dev/full: No space left on device\n");
}

}  // namespace
}  // namespace hotlane
