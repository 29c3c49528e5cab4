// SPDX-License-Identifier: MIT
//
// The options: one table, a row each, and the values read from the environment.
// Knows nothing of the tiers: they are handed numbers by allocator, which alone reads this.
// Called by allocator, process, and the command (`hotlane env`, `hotlane run --name=value`).
#pragma once

#include "base/base.h"
#include "text/writer.h"

#include <span>
#include <string_view>

namespace hotlane {

// Each enumerator's place is the place of its name in the option's row.
enum class ClassChoice : uint8_t { cacheline, compact };
enum class StatsFormat : uint8_t { off, text, json, prometheus };
enum class OnError : uint8_t { abort, warn };
enum class HugePages : uint8_t { automatic, always, never };
enum class LimitMode : uint8_t { fallback, fail };
enum class Unwinder : uint8_t { libunwind, frame_pointers };
enum class DeepBind : uint8_t { clear, keep };
enum class ProfileSignal : uint8_t { none, usr1, usr2, hup, prof, urg };

struct WarmupEntry {
    size_t size;     // bytes
    uint32_t count;  // objects
};

/// Every option's value. Sizes in bytes, times in nanoseconds, rates in percent.
struct Config {
    static constexpr size_t kPathCapacity = 512;
    static constexpr size_t kLabelsCapacity = 256;
    static constexpr size_t kWarmupCapacity = 16;

    ClassChoice size_classes = ClassChoice::cacheline;
    StatsFormat stats = StatsFormat::off;
    char stats_file[kPathCapacity] = {};
    uint64_t stats_interval_ns = 0;     // 0: at exit only
    char labels[kLabelsCapacity] = {};  // "name=value,name=value"
    double hit_rate_warning_percent = 90.0;
    size_t thread_cache_bytes = 256 * KiB;  // per class and thread
    size_t limit = 0;                       // 0: none
    size_t reserve_bytes = 0;               // 0: as it is needed
    LimitMode limit_mode = LimitMode::fallback;
    WarmupEntry warmup[kWarmupCapacity] = {};
    size_t warmup_count = 0;
    OnError on_error = OnError::abort;
    bool check_frees = false;  // every free out of line and verified
    HugePages huge_pages = HugePages::automatic;
    uint64_t purge_delay_ns = 1'000'000'000;
    bool background_thread = false;
    char profile[kPathCapacity] = {};
    uint64_t sample_interval_bytes = 512 * KiB;  // between two samples, in the mean
    uint64_t profile_interval_ns = 0;            // 0: at exit only
    ProfileSignal profile_signal = ProfileSignal::none;
    uint64_t guard_one_in = 0;  // of so many requests one is guarded; 0: none
    Unwinder unwinder = Unwinder::libunwind;
    DeepBind deepbind = DeepBind::clear;
    bool verbose = false;

    bool wants_profile() const { return profile[0] != '\0' || profile_signal != ProfileSignal::none; }
};

inline constexpr std::string_view kOptionPrefix = "HOTLANE_";

enum class OptionType : uint8_t { choice, flag, count, size, duration, percent, path, warmup, labels };

/// A row of the table. The texts are arrays, not pointers: nothing for the loader to relocate at start-up.
/// The default is what a fresh Config holds at `offset`.
struct Option {
    char name[20];  // without HOTLANE_
    OptionType type;
    uint16_t offset;  // of the value in Config
    uint16_t width;   // of the value in Config, bytes
    uint64_t least;   // in the value's unit; 0 is valid beside the range
    uint64_t most;    // in the value's unit
    char values[32];  // of a choice: its names, "a|b|c"; else what a value looks like
    char help[53];    // a row of `hotlane env` fits 100 columns
};

/// The table, in the order in which it is shown.
std::span<const Option> options();
/// By its name without HOTLANE_; null when there is none.
const Option* find_option(std::string_view name);
/// The one that had this name (without HOTLANE_) in version 0.1; null when none had.
const Option* option_formerly_called(std::string_view name);
/// The one whose name takes the fewest edits.
const Option& closest_option(std::string_view name);

/// Sets the option to what `value` says; false, and nothing changed, when it is not valid.
[[nodiscard]] bool set_option(Config& config, const Option& option, std::string_view value);
/// What would have been valid, to follow "expected ".
void print_expected(Writer& out, const Option& option);
/// The value as set_option would read it back.
void print_value(Writer& out, const Option& option, const Config& config);

/// Reads every option from the environment. `preloaded` sets the default of HOTLANE_STATS (text, else off).
/// An invalid value, or a name that is none, is reported once on stderr with what would be valid, and the
/// default stays. Does not allocate.
void read_config(Config& config, bool preloaded);

/// Prints the table: name, current value, default, what it is. For `hotlane env`.
void print_config(Writer& out, const Config& config);

}  // namespace hotlane
