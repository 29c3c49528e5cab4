// SPDX-License-Identifier: MIT
//
// Writes a heap profile as text in the format of jeprof and pprof. What that format has no field for is in
// comments.
//
//   heap profile: 12: 3456 [78: 9012] @ heap_v2/524288            live objects: bytes [of all time]
//   # hotlane profile 1
//   # program: /usr/bin/example                                    and more such lines
//   # class: 64 hits=1000 misses=12 puts=990
//   # size_step: 16
//   # size: 64 requests=1000 live=10,560 peak=600,33600 early=12
//   1: 64 [5: 320] @ 0x401136 0x7f…                                of one stack, as sampled; leaf first
//   # site: live=8192,524288,491520 total=…,…,… temporary=100,6400 remote=0,0 lifetimes=20:64,21:3
//
//   MAPPED_LIBRARIES:
//   /proc/self/maps
//
// Readers of the format estimate true values by dividing the sampled ones by 1 - exp(-bytes / objects /
// period), stack by stack. The comment after a stack has the estimates themselves, without rounding: objects
// and bytes, for `live` and `total` also the bytes requested. `lifetimes` counts objects by the logarithm
// (base 2) of their lifetime in nanoseconds; it is "-" when no object was freed.
//
// A line "# size:" has the estimates for the requests of up to 64 KiB in steps of 16 bytes: how many there were,
// how many objects and requested bytes are live, and how many were when the bytes of all these sizes were at
// their peak, within a hundredth. `early` is the most objects that were live in the session's first second.
#pragma once

#include "options/config.h"
#include "stats/stats.h"

namespace hotlane {

struct ProfileHeader {
    const char* program;  // its file
    const char* reason;   // exit, signal, interval or call
    uint64_t number;      // how many dumps this process wrote before
    uint64_t series;  // the same in all dumps of this process; differs from that of others with the same id
    uint64_t duration_ns;
    Unwinder unwinder;
};

/// Writes the whole text. The counts of the classes come from `snapshot`. Returns false when not all could be
/// written. Does not allocate; takes the profile's locks for one stack at a time.
bool write_profile(int descriptor, const ProfileHeader& header, const Snapshot& snapshot);

}  // namespace hotlane
