// SPDX-License-Identifier: MIT
//
// The table of options, and the functions that find its rows and print it.
#include "options/config.h"

#include <cstddef>

namespace hotlane {

namespace {

constexpr uint64_t kMillisecond = 1'000'000;
constexpr uint64_t kHour = 3'600'000 * kMillisecond;

using enum OptionType;

// NOLINTNEXTLINE(cppcoreguidelines-macro-usage): offsetof needs the member's name
#define HOTLANE_FIELD(member) offsetof(Config, member), sizeof(Config::member)

// clang-format off
constexpr Option kOptions[] = {
    // name, type, field, least, most, values, help
    {"CONFIG", path, HOTLANE_FIELD(config_file), 0, 0, "PATH",
     "file with more options; the environment wins"},
    {"SIZE_CLASSES", classes, HOTLANE_FIELD(size_classes), 0, 0, "cacheline|compact|auto|SIZE,...",
     "steps of 64 bytes, 16, first 64 then 16; or sizes"},
    {"STATS", choice, HOTLANE_FIELD(stats), 0, 0, "off|text|json|prometheus",
     "report of the counters at exit; off when static"},
    {"STATS_FILE", path, HOTLANE_FIELD(stats_file), 0, 0, "PATH",
     "file of the report (%p: pid, %e: program); or stderr"},
    {"STATS_INTERVAL", duration, HOTLANE_FIELD(stats_interval_ns), 100 * kMillisecond, 24 * kHour, "TIME",
     "how often to rewrite the file; 0: only at exit"},
    {"LABELS", labels, HOTLANE_FIELD(labels), 0, 0, "NAME=VALUE,...",
     "labels added to all counters"},
    {"LIVE", path, HOTLANE_FIELD(live), 0, 0, "auto|DIR",
     "directory for hotlane ps, top and dump; or auto"},
    {"HIT_RATE_WARNING", percent, HOTLANE_FIELD(hit_rate_warning_percent), 0, 100, "PERCENT",
     "warn at exit below this hit rate; 0: never"},
    {"THREAD_CACHE", cache_limits, HOTLANE_FIELD(thread_cache), 0, GiB, "auto|SIZE,CLASS=SIZE,...",
     "most free bytes a thread caches in one class"},
    {"LIMIT", size, HOTLANE_FIELD(limit), MiB, 64 * KiB * GiB, "SIZE",
     "most memory for requests up to 64 KiB; 0: no limit"},
    {"RESERVE", size, HOTLANE_FIELD(reserve_bytes), MiB, 512 * GiB, "SIZE",
     "address space reserved at start; grows as needed"},
    {"LIMIT_MODE", choice, HOTLANE_FIELD(limit_mode), 0, 0, "fallback|fail",
     "at the limit: use the fallback, or fail with ENOMEM"},
    {"POOL_LIMIT", size, HOTLANE_FIELD(pool_limit), MiB, 64 * KiB * GiB, "SIZE",
     "most memory for all bounded pools; 0: no limit"},
    {"WARMUP", warmup, HOTLANE_FIELD(warmup), 1, UINT32_MAX, "SIZE:COUNT,...",
     "objects to cache when a thread starts"},
    {"ON_ERROR", choice, HOTLANE_FIELD(on_error), 0, 0, "abort|warn",
     "what to do after an invalid free"},
    {"CHECK_FREES", flag, HOTLANE_FIELD(check_frees), 0, 1, "0|1",
     "verify every free; slow, finds every double free"},
    {"GUARD", count, HOTLANE_FIELD(guard_one_in), 0, UINT32_MAX, "N",
     "put one request in N beside a guard page; 0: none"},
    {"HUGEPAGES", choice, HOTLANE_FIELD(huge_pages), 0, 0, "auto|always|never",
     "2-MiB pages: when the heap is large, always, never"},
    {"PURGE_DELAY", duration, HOTLANE_FIELD(purge_delay_ns), 0, kHour, "TIME",
     "return free memory to the system after this time"},
    {"BACKGROUND_THREAD", flag, HOTLANE_FIELD(background_thread), 0, 1, "0|1",
     "a thread returns memory while the program is idle"},
    {"POOL_TIMES", flag, HOTLANE_FIELD(pool_times), 0, 1, "0|1",
     "measure how long buffers of pools are held"},
    {"PROFILE", path, HOTLANE_FIELD(profile), 0, 0, "PATH",
     "file of the heap profile (%p: pid, %n: number)"},
    {"SAMPLE_INTERVAL", size, HOTLANE_FIELD(sample_interval_bytes), 1, GiB, "SIZE",
     "bytes between samples; 1: every allocation"},
    {"PROFILE_INTERVAL", duration, HOTLANE_FIELD(profile_interval_ns), 100 * kMillisecond, 24 * kHour, "TIME",
     "how often to write the profile; 0: only at exit"},
    {"PROFILE_SIGNAL", signal, HOTLANE_FIELD(profile_signal), 0, 0, "off|USR1|USR2|HUP|PROF|URG|RTMIN+N",
     "signal that starts the profile, then writes it"},
    {"PROFILE_TAGS", choice, HOTLANE_FIELD(profile_tags), 0, 0, "off|size|thread|all",
     "also count stacks by object size and thread name"},
    {"UNWIND", choice, HOTLANE_FIELD(unwinder), 0, 0, "libunwind|fp",
     "unwind by tables, or by frame pointers"},
    {"DEEPBIND", choice, HOTLANE_FIELD(deepbind), 0, 0, "clear|keep",
     "clear RTLD_DEEPBIND in dlopen, or keep it"},
    {"VERBOSE", flag, HOTLANE_FIELD(verbose), 0, 1, "0|1",
     "report the setup on stderr at start"},
};
// clang-format on

#undef HOTLANE_FIELD

/// Options of version 0.1 that were renamed.
struct FormerName {
    char former[20];
    char name[20];
};
constexpr FormerName kFormerNames[] = {
    {"CLASSES", "SIZE_CLASSES"}, {"HIT_ALARM", "HIT_RATE_WARNING"},   {"CACHE", "THREAD_CACHE"},
    {"CHECK", "CHECK_FREES"},    {"BACKGROUND", "BACKGROUND_THREAD"}, {"SAMPLE", "SAMPLE_INTERVAL"},
};

constexpr uint16_t width_of(OptionType type) {
    switch (type) {
    case choice:
    case flag:
    case signal:
        return 1;
    case path:
        return Config::kPathCapacity;
    case labels:
        return Config::kLabelsCapacity;
    case warmup:
        return sizeof(Config::warmup);
    case classes:
        return sizeof(Config::size_classes);
    case cache_limits:
        return sizeof(Config::thread_cache);
    default:
        return 8;
    }
}

constexpr bool table_is_sound() {
    for (const Option& option : kOptions) {
        if (option.width != width_of(option.type) || option.least > option.most || option.help[0] == '\0') {
            return false;
        }
    }
    return true;
}
static_assert(table_is_sound());
static_assert(sizeof kOptions / sizeof kOptions[0] <= 64, "the reader has a bit for each option");

/// The least number of letters to insert, remove or replace to turn `a` into `b` (Levenshtein distance).
/// Keeps one row of the matrix.
size_t edit_distance(std::string_view a, std::string_view b) {
    constexpr size_t kLongest = 32;
    size_t row[kLongest + 1];
    const size_t columns = b.size() < kLongest ? b.size() : kLongest;
    for (size_t j = 0; j <= columns; ++j) {
        row[j] = j;
    }
    for (size_t i = 0; i < a.size(); ++i) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < columns; ++j) {
            const size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
            const size_t shorter = (row[j] < row[j + 1] ? row[j] : row[j + 1]) + 1;
            diagonal = row[j + 1];
            row[j + 1] = replaced < shorter ? replaced : shorter;
        }
    }
    return row[columns];
}

}  // namespace

HOTLANE_IN_EVERY_PROCESS std::span<const Option> options() { return kOptions; }

HOTLANE_IN_EVERY_PROCESS const Option* find_option(std::string_view name) {
    for (const Option& option : kOptions) {
        if (name == option.name) {
            return &option;
        }
    }
    return nullptr;
}

HOTLANE_IN_EVERY_PROCESS const Option* option_formerly_called(std::string_view name) {
    for (const FormerName& entry : kFormerNames) {
        if (name == entry.former) {
            return find_option(entry.name);
        }
    }
    return nullptr;
}

const Option& closest_option(std::string_view name) {
    const Option* closest = kOptions;
    size_t fewest = SIZE_MAX;
    for (const Option& option : kOptions) {
        const size_t edits = edit_distance(name, option.name);
        if (edits < fewest) {
            fewest = edits;
            closest = &option;
        }
    }
    return *closest;
}

/// The options of a process in which none is set and hotlane is preloaded.
consteval Config default_config() {
    Config config;
    config.stats = StatsFormat::text;
    return config;
}

void print_config(Writer& out, const Config& config) {
    constexpr size_t kNameWidth = 26;
    constexpr size_t kValueWidth = 11;
    static constexpr Config defaults = default_config();
    out.left("OPTION", kNameWidth).left("VALUE", kValueWidth).left("DEFAULT", kValueWidth).text("MEANING\n");
    for (const Option& option : kOptions) {
        out.text(kOptionPrefix).left(option.name, kNameWidth - kOptionPrefix.size());
        for (const Config* source : {&config, &defaults}) {
            char value[2 * KiB];
            Writer text{value, sizeof value};
            print_value(text, option, *source);
            const size_t before = out.bytes_written();
            out.shown(text.bytes_written() == 0 ? "-" : std::string_view{value, text.bytes_written()});
            const size_t width = out.bytes_written() - before;
            out.spaces(width < kValueWidth ? kValueWidth - width : 1);
        }
        out.text(option.help).text("\n");
    }
}

}  // namespace hotlane
