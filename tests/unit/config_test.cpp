// SPDX-License-Identifier: MIT
//
// Tests the option table: the default, round trip and refusal of every row, and the messages for the user.
#include "options/config.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <set>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

namespace hotlane {
namespace {

const Option& row(std::string_view name) {
    const Option* option = find_option(name);
    EXPECT_NE(option, nullptr) << name;
    return *option;
}

std::string value(std::string_view name, const Config& config) {
    char memory[Config::kPathCapacity];
    Writer out{memory, sizeof memory};
    print_value(out, row(name), config);
    return {memory, out.bytes_written()};
}

bool set(Config& config, std::string_view name, std::string_view text) {
    return set_option(config, row(name), text);
}

/// Environment variables that are set for one test and removed after it.
class Environment : public testing::Test {
  protected:
    void TearDown() override {
        for (const std::string& name : names_) {
            unsetenv(name.c_str());
        }
    }
    void set_variable(const std::string& name, const std::string& text) {
        setenv(name.c_str(), text.c_str(), 1);
        names_.insert(name);
    }
    /// What read_config() writes to stderr.
    static std::string read(Config& config, bool preloaded = true) {
        testing::internal::CaptureStderr();
        read_config(config, preloaded);
        return testing::internal::GetCapturedStderr();
    }
    std::set<std::string> names_;
};

TEST(OptionTable, NamesAreUniqueAndFound) {
    std::set<std::string> names;
    for (const Option& option : options()) {
        EXPECT_TRUE(names.insert(option.name).second) << option.name;
        EXPECT_EQ(find_option(option.name), &option);
        for (const char* c = option.name; *c != '\0'; ++c) {
            EXPECT_TRUE(isupper(*c) != 0 || *c == '_') << option.name;
        }
    }
    EXPECT_EQ(find_option("NOTHING"), nullptr);
    EXPECT_EQ(find_option(""), nullptr);
}

TEST(OptionTable, DefaultsReadBackInEveryRow) {
    const Config defaults;
    for (const Option& option : options()) {
        const std::string text = value(option.name, defaults);
        Config config;
        EXPECT_TRUE(set_option(config, option, text)) << option.name << "=" << text;
        EXPECT_EQ(value(option.name, config), text) << option.name;
    }
}

TEST(OptionTable, EveryChoiceIsItsEnumerator) {
    Config config;
    for (const Option& option : options()) {
        if (option.type != OptionType::choice && option.type != OptionType::flag) {
            continue;
        }
        std::string names = option.values;
        for (size_t end = 0; end != std::string::npos;) {
            end = names.find('|');
            const std::string name = names.substr(0, end);
            EXPECT_TRUE(set_option(config, option, name)) << option.name << "=" << name;
            EXPECT_EQ(value(option.name, config), name);
            names = names.substr(end == std::string::npos ? 0 : end + 1);
        }
    }
    EXPECT_EQ(config.stats, StatsFormat::prometheus);
    EXPECT_EQ(config.limit_mode, LimitMode::fail);
    EXPECT_EQ(config.on_error, OnError::warn);
    EXPECT_EQ(config.huge_pages, HugePages::never);
    EXPECT_TRUE(config.check_frees && config.background_thread && config.verbose);
}

TEST(OptionTable, RangesHoldAtTheirEnds) {
    Config config;
    EXPECT_TRUE(set(config, "LIMIT", "1M"));
    EXPECT_EQ(config.limit, MiB);
    EXPECT_TRUE(set(config, "LIMIT", "64T"));
    EXPECT_FALSE(set(config, "LIMIT", "1048575"));
    EXPECT_FALSE(set(config, "LIMIT", "65T"));
    EXPECT_EQ(config.limit, 64 * 1024 * GiB);
    EXPECT_TRUE(set(config, "LIMIT", "0"));
    EXPECT_EQ(config.limit, 0U);
    EXPECT_TRUE(set(config, "HIT_RATE_WARNING", "100%"));
    EXPECT_FALSE(set(config, "HIT_RATE_WARNING", "100.1"));
    EXPECT_FALSE(set(config, "STATS_INTERVAL", "99ms"));
    EXPECT_TRUE(set(config, "STATS_INTERVAL", "100ms"));
    EXPECT_EQ(config.stats_interval_ns, 100'000'000U);
}

TEST(OptionTable, SignalsByNameAndNumber) {
    Config config;
    EXPECT_TRUE(set(config, "PROFILE_SIGNAL", "SIGUSR2"));
    EXPECT_EQ(config.profile_signal, SIGUSR2);
    EXPECT_EQ(value("PROFILE_SIGNAL", config), "USR2");
    for (const std::string text : {"RTMIN+3", "SIGRTMIN+3"}) {
        EXPECT_TRUE(set(config, "PROFILE_SIGNAL", text));
        EXPECT_EQ(config.profile_signal, SIGRTMIN + 3);
        EXPECT_EQ(value("PROFILE_SIGNAL", config), "RTMIN+3");
    }
    EXPECT_TRUE(set(config, "PROFILE_SIGNAL", std::to_string(SIGRTMAX)));
    EXPECT_EQ(config.profile_signal, SIGRTMAX);
    EXPECT_TRUE(set(config, "PROFILE_SIGNAL", "RTMIN"));
    EXPECT_EQ(config.profile_signal, SIGRTMIN);
    for (const char* text :
         {"KILL", "9", "RTMIN+99", "RTMIN-1", "RTMIN3", "65", "33", "-1", "rtmin", "SIG", ""}) {
        EXPECT_FALSE(set(config, "PROFILE_SIGNAL", text)) << text;
    }
    EXPECT_EQ(config.profile_signal, SIGRTMIN);
    EXPECT_TRUE(set(config, "PROFILE_SIGNAL", "off"));
    EXPECT_EQ(config.profile_signal, 0);
}

TEST(OptionTable, PathsUpToTheirCapacity) {
    Config config;
    const std::string longest(Config::kPathCapacity - 1, 'p');
    EXPECT_TRUE(set(config, "STATS_FILE", longest));
    EXPECT_EQ(config.stats_file, longest);
    EXPECT_FALSE(set(config, "STATS_FILE", longest + "p"));
    EXPECT_EQ(config.stats_file, longest);
    EXPECT_TRUE(set(config, "STATS_FILE", ""));
    EXPECT_STREQ(config.stats_file, "");
}

TEST(OptionTable, Warmup) {
    Config config;
    ASSERT_TRUE(set(config, "WARMUP", "64:1000,4K:16"));
    ASSERT_EQ(config.warmup_count, 2U);
    EXPECT_EQ(config.warmup[0].size, 64U);
    EXPECT_EQ(config.warmup[0].count, 1000U);
    EXPECT_EQ(config.warmup[1].size, 4096U);
    EXPECT_EQ(config.warmup[1].count, 16U);
    for (const char* text :
         {"64", "64:", ":5", "64:x", "64:0", "0:5", "65K:1", "64:1,,64:2", "64:1;64:2", "64:1:2",
          "64:4294967296", "1:1,1:1,1:1,1:1,1:1,1:1,1:1,1:1,1:1,1:1,1:1,1:1,1:1,1:1,1:1,1:1,1:1"}) {
        EXPECT_FALSE(set(config, "WARMUP", text)) << text;
    }
    EXPECT_EQ(value("WARMUP", config), "64:1000,4K:16");
    EXPECT_TRUE(set(config, "WARMUP", ""));
    EXPECT_EQ(config.warmup_count, 0U);
}

TEST(OptionTable, SizeClasses) {
    Config config;
    EXPECT_EQ(value("SIZE_CLASSES", config), "cacheline");
    ASSERT_TRUE(set(config, "SIZE_CLASSES", "16,48,1K,1088,65536"));
    EXPECT_EQ(config.size_classes.choice, ClassChoice::listed);
    EXPECT_EQ(value("SIZE_CLASSES", config), "16,48,1024,1088,65536");
    ASSERT_TRUE(set(config, "SIZE_CLASSES", "64"));  // the largest is added
    EXPECT_EQ(value("SIZE_CLASSES", config), "64,65536");
    const std::string before = value("SIZE_CLASSES", config);
    for (const char* text : {"", "0", "24", "1040", "1024,1024", "128,64", "65600", ",64", "64,,128",
                             "listed", "SIZE,...", "compact,64", "auto,64", "64 128", "64K,64K"}) {
        EXPECT_FALSE(set(config, "SIZE_CLASSES", text)) << text;
        EXPECT_EQ(value("SIZE_CLASSES", config), before) << text;
    }
    std::string most;
    for (int size = 16; size <= 62 * 16; size += 16) {
        most += std::to_string(size) + ",";
    }
    EXPECT_TRUE(set(config, "SIZE_CLASSES", most + "64K"));
    EXPECT_EQ(config.size_classes.count, 63);
    EXPECT_EQ(value("SIZE_CLASSES", config), most + "65536");
    EXPECT_FALSE(set(config, "SIZE_CLASSES", most + "1024"));  // no place for the largest
    EXPECT_FALSE(set(config, "SIZE_CLASSES", most + "1024,64K"));
    EXPECT_TRUE(set(config, "SIZE_CLASSES", "auto"));
    EXPECT_EQ(config.size_classes.choice, ClassChoice::automatic);
    EXPECT_EQ(value("SIZE_CLASSES", config), "auto");
    EXPECT_TRUE(set(config, "SIZE_CLASSES", "compact"));
    EXPECT_EQ(config.size_classes.count, 0);
}

TEST(OptionTable, ThreadCache) {
    Config config;
    for (const char* text : {"0", "32K", "auto", "256K,64=32K,4096=1M", "auto,65536=2M"}) {
        EXPECT_TRUE(set(config, "THREAD_CACHE", text)) << text;
        EXPECT_EQ(value("THREAD_CACHE", config), text);
    }
    EXPECT_TRUE(config.thread_cache.automatic);
    ASSERT_EQ(config.thread_cache.count, 1U);
    EXPECT_EQ(config.thread_cache.of_class[0].bytes, 2 * MiB);
    for (const char* text : {"", "automatic", "2G", "64=32K", "256K,64", "256K,0=1K", "256K,65537=1K",
                             "256K,64=2G", "256K,64:32K", "256K,64=1K=1K", "256K,,64=1K"}) {
        EXPECT_FALSE(set(config, "THREAD_CACHE", text)) << text;
        EXPECT_EQ(value("THREAD_CACHE", config), "auto,65536=2M") << text;
    }
}

TEST(OptionTable, Labels) {
    Config config;
    for (const char* text : {"zone=b", "zone=b,service=web", "a_1=", "_a=x=y", "A=a b", ""}) {
        EXPECT_TRUE(set(config, "LABELS", text)) << text;
        EXPECT_EQ(value("LABELS", config), text);
    }
    ASSERT_TRUE(set(config, "LABELS", "zone=b"));
    for (const char* text :
         {"zone", "=b", "1a=b", "a-b=c", "__a=b", "pid=1", "zone=b,program=c", "class=1", "reason=1",
          "pool=1", "a=1,a=2", "a=1,", ",a=1", "a=1,,b=2", "a,b=1", "\xc3\xa4=1"}) {
        EXPECT_FALSE(set(config, "LABELS", text)) << text;
    }
    EXPECT_FALSE(set(config, "LABELS", "a=" + std::string(Config::kLabelsCapacity - 2, 'x')));
    EXPECT_EQ(value("LABELS", config), "zone=b");
}

TEST(OptionTable, ClosestName) {
    EXPECT_STREQ(closest_option("STAT").name, "STATS");
    EXPECT_STREQ(closest_option("HUGE_PAGES").name, "HUGEPAGES");
    EXPECT_STREQ(closest_option("LIMITMODE").name, "LIMIT_MODE");
    EXPECT_STREQ(closest_option("SIZE_CLASES").name, "SIZE_CLASSES");
    EXPECT_NE(closest_option(std::string(5000, 'X')).name[0], '\0');
}

TEST_F(Environment, DefaultOfStatsDependsOnPreloading) {
    Config config;
    EXPECT_EQ(read(config, true), "");
    EXPECT_EQ(config.stats, StatsFormat::text);
    EXPECT_EQ(read(config, false), "");
    EXPECT_EQ(config.stats, StatsFormat::off);
}

TEST_F(Environment, ValuesAreRead) {
    set_variable("HOTLANE_STATS", "json");
    set_variable("HOTLANE_THREAD_CACHE", "32K");
    set_variable("HOTLANE_PURGE_DELAY", "250ms");
    set_variable("HOTLANE", "not ours");
    set_variable("XHOTLANE_CACHE", "not ours");
    Config config;
    EXPECT_EQ(read(config), "");
    EXPECT_EQ(config.stats, StatsFormat::json);
    EXPECT_EQ(config.thread_cache.bytes, 32 * KiB);
    EXPECT_EQ(config.purge_delay_ns, 250'000'000U);
}

TEST_F(Environment, WhatWasReadBeforeIsForgotten) {
    set_variable("HOTLANE_VERBOSE", "1");
    Config config;
    config.thread_cache.bytes = 1;
    EXPECT_EQ(read(config), "");
    EXPECT_TRUE(config.verbose);
    EXPECT_EQ(config.thread_cache.bytes, Config{}.thread_cache.bytes);
}

TEST_F(Environment, InvalidValuesAreSaidOnceAndTheDefaultStays) {
    const struct {
        const char* name;
        const char* text;
        const char* said;
    } cases[] = {
        {"STATS", "xml", "expected off, text, json or prometheus; using text"},
        {"CHECK_FREES", "yes", "expected 0 or 1; using 0"},
        {"THREAD_CACHE", "-3",
         "expected auto, or a size like 64K, up to 1G; then limits of classes like ,64=32K, at most 63; "
         "using 64K"},
        {"LIMIT", "1K", "expected a size like 64K or 1.5G, 0 or from 1M to 64T; using 0"},
        {"PURGE_DELAY", "10", "expected a time like 500ms or 10s, from 0 to 1h; using 1s"},
        {"HIT_RATE_WARNING", "101", "expected a percentage from 0 to 100; using 90%"},
        {"LABELS", "pid=1",
         "expected NAME=VALUE,... like service=web,zone=b, names of letters, digits and _, none of program "
         "pid "
         "class reason pool; using none"},
        {"WARMUP", "64",
         "expected SIZE:COUNT,... like 64:1000,4096:16, at most 16 sizes up to 64K; using none"},
    };
    for (const auto& wrong : cases) {
        const std::string name = std::string("HOTLANE_") + wrong.name;
        set_variable(name, wrong.text);
        Config config;
        EXPECT_EQ(read(config), "hotlane: " + name + "=\"" + wrong.text + "\": " + wrong.said + "\n");
        unsetenv(name.c_str());
    }
}

TEST_F(Environment, UnknownNamesAreSaidWithTheClosest) {
    set_variable("HOTLANE_STAT", "json");
    Config config;
    EXPECT_EQ(read(config), "hotlane: HOTLANE_STAT is not an option; the closest is HOTLANE_STATS\n");
}

TEST_F(Environment, FormerNamesAreRefusedWithTheNameOfToday) {
    for (const auto& [former, name] :
         {std::pair{"CLASSES", "SIZE_CLASSES"}, std::pair{"SAMPLE", "SAMPLE_INTERVAL"},
          std::pair{"CACHE", "THREAD_CACHE"}, std::pair{"CHECK", "CHECK_FREES"},
          std::pair{"BACKGROUND", "BACKGROUND_THREAD"}, std::pair{"HIT_ALARM", "HIT_RATE_WARNING"}}) {
        const std::string variable = std::string{"HOTLANE_"} + former;
        set_variable(variable.c_str(), "1");
        Config config;
        EXPECT_EQ(read(config),
                  "hotlane: " + variable + " is not an option any more; it is called HOTLANE_" + name + "\n");
        EXPECT_EQ(config.thread_cache.bytes, Config{}.thread_cache.bytes);
        EXPECT_EQ(find_option(former), nullptr);
        unsetenv(variable.c_str());
    }
}

/// A file of options that HOTLANE_CONFIG names.
class ConfigFile : public Environment {
  protected:
    void SetUp() override {
        ASSERT_GE(close(mkstemp(path_)), 0);
        set_variable("HOTLANE_CONFIG", path_);
    }
    void TearDown() override {
        unlink(path_);
        Environment::TearDown();
    }
    std::string read_text(const std::string& text, Config& config) {
        std::ofstream{path_} << text;
        return read(config);
    }
    /// What is said about a line of the file.
    std::string said(int line, const std::string& what) const {
        return "hotlane: " + std::string{path_} + ":" + std::to_string(line) + ": " + what + "\n";
    }
    char path_[32] = "/tmp/hotlane-config-XXXXXX";
};

TEST_F(ConfigFile, IsReadAfterTheEnvironmentWhichWins) {
    set_variable("HOTLANE_STATS", "json");
    set_variable("HOTLANE_LIMIT", "none");  // invalid, but set: the file does not replace it
    Config config;
    std::string errors = read_text("# a comment\n\n  HOTLANE_STATS=off\r\n"
                                   "HOTLANE_THREAD_CACHE = 64K \nHOTLANE_LIMIT=8M\n\tHOTLANE_VERBOSE=1",
                                   config);
    EXPECT_EQ(config.stats, StatsFormat::json);
    EXPECT_EQ(config.thread_cache.bytes, 64 * KiB);
    EXPECT_EQ(config.limit, 0U);
    EXPECT_TRUE(config.verbose);
    EXPECT_EQ(errors.find("hotlane: HOTLANE_LIMIT=\"none\": "), 0U) << errors;
    EXPECT_EQ(std::count(errors.begin(), errors.end(), '\n'), 1) << errors;
}

TEST_F(ConfigFile, MistakesAreSaidWithTheirLineAndTheRestCounts) {
    Config config;
    EXPECT_EQ(read_text("HOTLANE_STATS=loud\nSTATS=json\nHOTLANE_STAT=json\nHOTLANE_CACHE=1K\n"
                        "HOTLANE_CONFIG=x\nHOTLANE_GUARD=5\nHOTLANE_GUARD=6\n",
                        config),
              said(1, "HOTLANE_STATS=\"loud\": expected off, text, json or prometheus; using text") +
                  said(2, "expected HOTLANE_NAME=VALUE, a comment after #, or an empty line") +
                  said(3, "HOTLANE_STAT is not an option; the closest is HOTLANE_STATS") +
                  said(4, "HOTLANE_CACHE is not an option any more; it is called HOTLANE_THREAD_CACHE") +
                  said(5, "HOTLANE_CONFIG cannot be set in a file") +
                  said(7, "HOTLANE_GUARD is set twice; the first value counts"));
    EXPECT_EQ(config.guard_one_in, 5U);
}

TEST_F(ConfigFile, WhatIsNoFileOfOptionsIsGivenUp) {
    Config config;
    const std::string binary =
        read_text(std::string(100, '\n') + "\1\n\2\n\3\n\4\n\5\n\6\n\7\n\7\n\7\n", config);
    EXPECT_EQ(std::count(binary.begin(), binary.end(), '\n'), 9) << binary;
    EXPECT_NE(binary.find("too many mistakes"), std::string::npos) << binary;
    EXPECT_NE(read_text("HOTLANE_GUARD=3\n#" + std::string(2000, 'x') + "\nHOTLANE_VERBOSE=1\n", config)
                  .find("a line is longer than 1023 bytes"),
              std::string::npos);
    EXPECT_EQ(config.guard_one_in, 3U);
    EXPECT_FALSE(config.verbose);
    std::string large;
    for (size_t i = 0; i < 64 * KiB / 32; ++i) {
        large += "#" + std::string(30, 'x') + "\n";
    }
    EXPECT_EQ(read_text(large, config), "");
    EXPECT_NE(read_text(large + "HOTLANE_VERBOSE=1\n" + large, config).find("the file than 64K"),
              std::string::npos);
}

TEST_F(ConfigFile, LinesOfEveryLengthAreReadWhole) {
    for (size_t length : {1005, 1006, 1007, 1022, 1023}) {
        Config config;
        const std::string comment = "#" + std::string(length - 1, 'x') + "\n";
        EXPECT_EQ(read_text(comment + "HOTLANE_GUARD=77\n" + comment + "HOTLANE_VERBOSE=1", config), "");
        EXPECT_EQ(config.guard_one_in, 77U);
        EXPECT_TRUE(config.verbose);
    }
}

TEST_F(ConfigFile, WhatCannotBeTrustedOrReadIsSaidOnce) {
    Config config;
    errno = 7;
    std::ofstream{path_} << "HOTLANE_VERBOSE=1\n";
    chmod(path_, 0666);
    EXPECT_EQ(read(config), "hotlane: the options in " + std::string{path_} +
                                " are ignored: every user can write the file\n");
    unlink(path_);
    EXPECT_EQ(read(config),
              "hotlane: cannot read the options in " + std::string{path_} + ": No such file or directory\n");
    mkfifo(path_, 0600);
    EXPECT_EQ(read(config),
              "hotlane: cannot read the options in " + std::string{path_} + ": not a regular file\n");
    EXPECT_FALSE(config.verbose);
}

TEST(PrintConfig, ShowsEveryOptionInAHundredColumns) {
    char memory[8192];
    Writer out{memory, sizeof memory};
    Config config;
    config.limit = 2 * GiB;
    print_config(out, config);
    ASSERT_TRUE(out.ok());
    const std::string text{memory, out.bytes_written()};
    for (const Option& option : options()) {
        EXPECT_NE(text.find("HOTLANE_" + std::string(option.name) + " "), std::string::npos);
    }
    EXPECT_NE(text.find("HOTLANE_LIMIT             2G         0 "), std::string::npos) << text;
    for (size_t start = 0, end = 0; (end = text.find('\n', start)) != std::string::npos; start = end + 1) {
        EXPECT_LE(end - start, 100U) << text.substr(start, end - start);
    }
}

}  // namespace
}  // namespace hotlane
