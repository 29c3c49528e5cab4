// SPDX-License-Identifier: MIT
//
// The file that a process shares with the command: who the process is, its counters, and a mailbox for requests.
//
// The process creates the file DIR/PID, mode 0600, and maps it. The command reads and writes it by pread and
// pwrite, so a file that shrinks does it no harm. Only the user of the process and root can open the file.
#pragma once

#include "stats/stats.h"

namespace hotlane::live {

/// Written once, before the file is complete. `magic` comes last.
struct Identity {
    uint64_t magic;
    uint64_t format;
    uint64_t bytes;  // of the whole file
    int64_t process;
    uint64_t name_space;  // of the process's id
    uint64_t started;     // see ProcessTimes
    uint64_t stack;
};

/// Protected by `sequence`, which is odd while they are written. A reader repeats until it has found the same
/// even number before and after.
struct Counters {
    uint64_t time_ns;         // of CLOCK_MONOTONIC; 0: nothing was published yet
    uint64_t profile_period;  // mean bytes between samples; 0: no profile is running
    char labels[256];         // HOTLANE_LABELS
    Snapshot snapshot;        // its pointer to the labels is null
};

enum class Request : uint64_t { none, dump, start_profile, stop_profile, purge };
enum class Answer : uint64_t { none, done, failed, no_profile, already, unknown };

/// The command locks the file (flock), writes `kind` and `argument` and then the next `ticket`. The process
/// writes its answer and then the same number to `answered`.
struct Mailbox {
    uint64_t ticket;
    uint64_t kind;
    uint64_t argument;  // start_profile: mean bytes between samples, 0: HOTLANE_SAMPLE_INTERVAL
    uint64_t answered;
    uint64_t answer;
    uint64_t value;  // dump: N of the file DIR/PID.N.heap, in hexadecimal; purge: bytes; failed: errno
};

struct Shared {
    Identity identity;
    Mailbox mailbox;
    uint64_t sequence;
    Counters counters;
};

inline constexpr uint64_t kMagic = 0x0065'6E61'6C74'6F68;  // "hotlane"

/// Identifies the layout. It follows most changes of the structs by itself; the first number is for the others.
consteval uint64_t format_of_layout() {
    uint64_t format = 1;
    for (const uint64_t part : {sizeof(Shared), sizeof(Snapshot), sizeof(ClassStats), sizeof(PoolStats),
                                kMaxClasses, kFallbackReasons, kMaxPoolNames, kMaxArenaNames}) {
        format = (format ^ part) * 0x100000001B3;
    }
    return format;
}
inline constexpr uint64_t kFormat = format_of_layout();

static_assert(sizeof(Counters) % sizeof(uint64_t) == 0, "counters are copied word by word");

/// How long a process that runs may leave its counters unchanged before it is taken for stopped.
inline constexpr uint64_t kPublishEveryNs = 1'000'000'000;

}  // namespace hotlane::live
