// SPDX-License-Identifier: MIT
//
// A dump as it was written, with estimates instead of samples: addresses, no names yet.
// Knows nothing of symbols, nor of how a profile is shown.
// Filled by profile_reader, read by the symboliser.
#pragma once

#include "cli/profile/profile.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace hotlane::cli {

struct Dump {
    struct Entry {
        std::vector<uint64_t> addresses;  // return addresses, leaf first, never empty
        AllocationTotals totals;
    };
    /// A line of /proc/PID/maps. Mappings ascend and do not overlap.
    struct Mapping {
        uint64_t start = 0;
        uint64_t end = 0;
        uint64_t offset = 0;
        uint64_t inode = 0;
        std::string path;  // or [vdso] and the like, or empty
    };

    ProfileOrigin origin;
    std::map<int64_t, Profile::SizeClass> classes;
    std::vector<Entry> entries;
    std::vector<Mapping> mappings;
};

}  // namespace hotlane::cli
