// SPDX-License-Identifier: MIT
//
// A heap profile as it was written: stacks of addresses with estimated totals, and the mappings of the
// process.
#pragma once

#include "cli/profile/profile.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace hotlane::cli {

/// The newest format that this version knows, and the first with peaks and a timeline.
inline constexpr int64_t kNewestFormat = 2;
inline constexpr int64_t kFormatWithPeak = 2;

struct Dump {
    struct Entry {
        std::vector<uint64_t> addresses;  // return addresses, leaf first, at least one
        AllocationTotals totals;
        int64_t object_size = 0;  // 0: any
        uint32_t thread = 0;      // key of `threads`; 0: any
    };
    /// A line of /proc/PID/maps. Mappings are in ascending order and do not overlap.
    struct Mapping {
        uint64_t start = 0;
        uint64_t end = 0;
        uint64_t offset = 0;
        uint64_t inode = 0;
        std::string path;      // may be a name like [vdso], or empty
        std::string build_id;  // hexadecimal; empty: unknown
    };

    /// Requests of up to this size, and more than the next smaller size.
    struct RequestedSize {
        int64_t requests = 0;
        int64_t live = 0;
        int64_t live_bytes = 0;
        int64_t peak = 0;
        int64_t peak_bytes = 0;
        int64_t early = 0;  // most live objects in the first second
    };

    /// The user whom the dump's file belongs to.
    std::optional<unsigned> owner;
    ProfileOrigin origin;
    std::map<int64_t, Profile::SizeClass> classes;
    int64_t size_step = 0;  // of the next; 0 in dumps of other allocators and of older versions
    std::map<int64_t, RequestedSize> sizes;
    std::vector<Entry> entries;
    std::map<uint32_t, std::string> threads;  // names
    std::vector<TimePoint> timeline;          // in order of time
    std::vector<Mapping> mappings;
};

}  // namespace hotlane::cli
