// SPDX-License-Identifier: MIT
//
// The options: one table, a row each, and the values read from the environment.
// Knows nothing of the tiers: they are handed numbers by allocator, which alone reads this.
// Called by allocator, process, and the command (`hotlane env`, `hotlane run --name=value`).
#pragma once

#include "base/base.h"
#include "base/writer.h"

namespace hotlane {

enum class ClassChoice : uint8_t { cacheline, compact };
enum class StatsFormat : uint8_t { off, text, json, prometheus };
enum class OnError : uint8_t { abort, warn };
enum class HugePages : uint8_t { automatic, always, never };
enum class LimitMode : uint8_t { fallback, fail };

struct WarmupEntry {
    size_t size;     // bytes
    uint32_t count;  // objects
};

/// Every option's value. Sizes in bytes, times in nanoseconds, rates in percent.
struct Config {
    static constexpr size_t kPathCapacity = 512;
    static constexpr size_t kWarmupCapacity = 16;

    ClassChoice classes = ClassChoice::cacheline;
    StatsFormat stats = StatsFormat::off;
    char stats_file[kPathCapacity] = {};
    uint64_t stats_interval_ns = 0;  // 0: at exit only
    double hit_alarm_percent = 90.0;
    size_t cache_bytes = 256 * KiB;  // per class and thread
    size_t limit = 0;                // 0: none
    LimitMode limit_mode = LimitMode::fallback;
    WarmupEntry warmup[kWarmupCapacity] = {};
    size_t warmup_count = 0;
    OnError on_error = OnError::abort;
    bool check = false;  // every free out of line and verified
    HugePages huge_pages = HugePages::automatic;
    uint64_t purge_delay_ns = 1'000'000'000;
    bool background = false;
    bool verbose = false;
};

/// Reads every option from the environment. `preloaded` sets the default of HOTLANE_STATS (text, else off).
/// An invalid value is reported once on stderr with what would be valid, and the default stays. Does not allocate.
void read_config(Config& config, bool preloaded);

/// Prints the table: name, current value, default, what it is. For `hotlane env`.
void print_config(Writer& out, const Config& config);

}  // namespace hotlane
