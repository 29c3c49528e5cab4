// SPDX-License-Identifier: MIT
//
// The options: a table with one row for each, and a struct with their values.
#pragma once

#include "base/base.h"
#include "text/writer.h"

#include <span>
#include <string_view>

namespace hotlane {

// The order of the enumerators is the order of the names in the option's row.
/// `listed`: the sizes of ClassTable::sizes.
/// `automatic`: cacheline's at first, then compact's.
enum class ClassChoice : uint8_t { cacheline, compact, automatic, listed };
enum class StatsFormat : uint8_t { off, text, json, prometheus };
enum class OnError : uint8_t { abort, warn };
enum class HugePages : uint8_t { automatic, always, never };
enum class LimitMode : uint8_t { fallback, fail };
enum class Unwinder : uint8_t { libunwind, frame_pointers };
enum class ProfileTags : uint8_t { off, size, thread, all };
enum class DeepBind : uint8_t { clear, keep };

/// The value of HOTLANE_SIZE_CLASSES.
struct ClassTable {
    ClassChoice choice = ClassChoice::cacheline;
    uint8_t count = 0;
    uint32_t sizes[kMaxClasses - 1] = {};  // bytes, ascending; the last is kLargestSmall
};

/// The value of HOTLANE_THREAD_CACHE: the most free bytes of a class that a thread keeps.
struct CacheLimits {
    struct OfClass {
        uint32_t size;   // bytes; any size that the class serves
        uint32_t bytes;  // its limit
    };

    bool automatic = false;  // the limits follow the misses of each class
    uint8_t count = 0;
    size_t bytes = 64 * KiB;  // of classes without an entry
    OfClass of_class[kMaxClasses - 1] = {};
};

struct WarmupEntry {
    size_t size;     // bytes
    uint32_t count;  // objects
};

/// The value of every option. Sizes are in bytes, times in nanoseconds, rates in percent.
struct Config {
    static constexpr size_t kPathCapacity = 512;
    static constexpr size_t kLabelsCapacity = 256;
    static constexpr size_t kWarmupCapacity = 16;

    char config_file[kPathCapacity] = {};
    ClassTable size_classes;
    StatsFormat stats = StatsFormat::off;
    char stats_file[kPathCapacity] = {};
    uint64_t stats_interval_ns = 0;     // 0: report at exit only
    char labels[kLabelsCapacity] = {};  // "name=value,name=value"
    char live[kPathCapacity] = {};      // directory, or "auto"
    double hit_rate_warning_percent = 90.0;
    CacheLimits thread_cache;
    size_t limit = 0;          // 0: none
    size_t reserve_bytes = 0;  // 0: reserve as needed
    LimitMode limit_mode = LimitMode::fallback;
    size_t pool_limit = 0;  // bytes of objects; 0: none
    WarmupEntry warmup[kWarmupCapacity] = {};
    size_t warmup_count = 0;
    OnError on_error = OnError::abort;
    bool check_frees = false;  // verify every free on the slow path
    HugePages huge_pages = HugePages::automatic;
    uint64_t purge_delay_ns = 1'000'000'000;
    bool background_thread = false;
    bool pool_times = false;  // measure for how long objects of pools are held
    char profile[kPathCapacity] = {};
    uint64_t sample_interval_bytes = 512 * KiB;   // mean distance between two samples
    uint64_t profile_interval_ns = 0;             // 0: write a profile at exit only
    uint8_t profile_signal = 0;                   // its number; 0: none
    ProfileTags profile_tags = ProfileTags::off;  // what tells samples of one stack apart
    uint64_t guard_one_in = 0;                    // guard one request in this many; 0: none
    Unwinder unwinder = Unwinder::libunwind;
    DeepBind deepbind = DeepBind::clear;
    bool verbose = false;

    bool wants_profile() const { return profile[0] != '\0' || profile_signal != 0; }
};

inline constexpr std::string_view kOptionPrefix = "HOTLANE_";

enum class OptionType : uint8_t {
    choice,
    flag,
    count,
    size,
    duration,
    percent,
    path,
    warmup,
    labels,
    classes,
    cache_limits,
    signal
};

/// A row of the table. The texts are arrays instead of pointers, so the loader has nothing to relocate at
/// start. The default value is the one that a new Config holds at `offset`.
struct Option {
    char name[20];  // without HOTLANE_
    OptionType type;
    uint16_t offset;  // of the value in Config
    uint16_t width;   // of the value in Config, bytes
    uint64_t least;   // in the value's unit; 0 may be valid below it
    uint64_t most;    // in the value's unit
    char values[40];  // names of a choice, "a|b|c", or a placeholder for the value
    char help[53];    // so long that a row of `hotlane env` fits into 100 columns
};

/// All rows, in the order in which they are shown.
std::span<const Option> options();
/// Finds an option by its name without HOTLANE_. Returns null when there is none.
const Option* find_option(std::string_view name);
/// Finds the option that had this name (without HOTLANE_) in version 0.1. Returns null when none had.
const Option* option_formerly_called(std::string_view name);
/// Returns the option whose name is most similar, by edit distance.
const Option& closest_option(std::string_view name);

/// Sets the option from text. Returns false and changes nothing when the value is invalid.
[[nodiscard]] bool set_option(Config& config, const Option& option, std::string_view value);
/// Writes a description of the valid values, to follow "expected ".
void print_expected(Writer& out, const Option& option);
/// Writes the value in the form that set_option() reads back.
void print_value(Writer& out, const Option& option, const Config& config);

/// Reads every option from the environment, and then those that the environment does not set from the file of
/// HOTLANE_CONFIG. `preloaded` selects the default of HOTLANE_STATS: text if true, otherwise off. An invalid
/// value or an unknown name is reported once on standard error, and the default is kept. Does not allocate, and
/// keeps errno.
void read_config(Config& config, bool preloaded);

/// Writes the table for `hotlane env`: the name, value, default and meaning of each option.
void print_config(Writer& out, const Config& config);

}  // namespace hotlane
