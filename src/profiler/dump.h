// SPDX-License-Identifier: MIT
//
// A profile as text: what jeprof and pprof read, with comments for what they have no field for.
// Knows nothing of when a profile is written, nor into which file.
// Called by profiling.
//
//   heap profile: 12: 3456 [78: 9012] @ heap_v2/524288            live objects: bytes [of all time]
//   # hotlane profile 1
//   # program: /usr/bin/example                                    and so on, a line each
//   # class: 64 hits=1000 misses=12 puts=990
//   1: 64 [5: 320] @ 0x401136 0x7f…                                of a stack, as sampled; leaf first
//   # site: live=8192,524288,491520 total=…,…,… temporary=100,6400 remote=0,0 lifetimes=20:64,21:3
//
//   MAPPED_LIBRARIES:
//   /proc/self/maps
//
// Readers divide what was sampled by 1 - exp(-bytes / objects / period), stack by stack. The comment after a
// stack has what that comes to, without rounding: objects, bytes, and for live and total the bytes that were
// asked for; lifetimes by the logarithm of their nanoseconds (base 2), "-" when none has ended.
#pragma once

#include "options/config.h"
#include "stats/stats.h"

namespace hotlane {

struct ProfileHeader {
    const char* program;  // its file
    const char* reason;   // exit, signal, interval or call
    uint64_t number;      // of dumps before this one in this process
    uint64_t series;  // the same in all dumps of this process, another in every other process of its number
    uint64_t duration_ns;
    Unwinder unwinder;
};

/// The whole text. `snapshot` for the classes. False when not all could be written. Does not allocate; takes
/// the profile's lock for one stack at a time.
bool write_profile(int descriptor, const ProfileHeader& header, const Snapshot& snapshot);

}  // namespace hotlane
