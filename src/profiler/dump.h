// SPDX-License-Identifier: MIT
//
// Writes a heap profile as text in the format of jeprof and pprof. What that format has no field for is in
// comments.
//
//   heap profile: 12: 3456 [78: 9012] @ heap_v2/524288            live objects: bytes [of all time]
//   # hotlane profile 2
//   # program: /usr/bin/example                                    and more such lines
//   # class: 64 hits=1000 misses=12 puts=990
//   # size_step: 16
//   # size: 64 requests=1000 live=10,560 peak=600,33600 early=12
//   # point: 120000000 live=1048576 rss=4194304 requests=12345 misses=67
//   1: 64 [5: 320] @ 0x401136 0x7f…                                of one stack, as sampled; leaf first
//   # site: live=8192,524288,491520 total=…,…,… peak=…,…,… temporary=100,6400 remote=0,0 lifetimes=20:64,21:3
//   # thread: 17 worker
//   # build_id: 0x400000 0123456789abcdef                          of the file that is mapped there
//
//   MAPPED_LIBRARIES:
//   /proc/self/maps
//
// Readers of the format estimate true values by dividing the sampled ones by 1 - exp(-bytes / objects /
// period), stack by stack. The comment after a stack has the estimates themselves, without rounding: objects
// and bytes, for `live`, `total` and `peak` also the bytes requested. `peak` is what was live when the live bytes
// of all stacks together were highest, at the time "# peak_ns:". `lifetimes` counts objects by the logarithm
// (base 2) of their lifetime in nanoseconds; it is "-" when no object was freed. With HOTLANE_PROFILE_TAGS, a stack
// has an entry for each size of objects ("size=64") and each name of a thread ("thread=17", a line "# thread:").
//
// A line "# point:" has a time in nanoseconds since "# begin_ns:", the most live and resident bytes since the
// point before, and the requests and misses since the process started. The last point is the present. There
// are at most 1,000. Format 1 had no peak and no points.
//
// A line "# size:" has the estimates for the requests of up to 64 KiB in steps of 16 bytes: how many there were,
// how many objects and requested bytes are live, and how many were when the bytes of all these sizes were at
// their peak, within a hundredth. `early` is the most objects that were live in the session's first second.
#pragma once

#include "options/config.h"
#include "profiler/history/timeline.h"
#include "stats/stats.h"

namespace hotlane {

struct ProfileHeader {
    const char* program;  // its file
    const char* reason;   // exit, signal, interval or call
    uint64_t number;      // how many dumps this process wrote before
    uint64_t series;    // the same in all dumps of this process; differs from that of others with the same id
    uint64_t begin_ns;  // when the first session began, since 1970
    uint64_t duration_ns;
    timeline::Point now;
    Unwinder unwinder;
};

/// Writes the whole text. The counts of the classes come from `snapshot`. Returns false when not all could be
/// written. Does not allocate; takes the profile's locks for one stack at a time.
bool write_profile(int descriptor, const ProfileHeader& header, const Snapshot& snapshot);

}  // namespace hotlane
