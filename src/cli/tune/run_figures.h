// SPDX-License-Identifier: MIT
//
// The figures of a run that `hotlane tune` needs from a report in JSON.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace hotlane::cli {

struct RunFigures {
    /// The counters of a size class, named as in the report.
    struct OfClass {
        uint64_t allocations = 0;
        uint64_t refills = 0;
        uint64_t swing = 0;  // most objects that left a thread's cache and came back; 0 in older reports
    };

    std::string program;
    int64_t process = 0;
    uint64_t allocations = 0;
    uint64_t misses = 0;
    uint64_t threads = 0;  // live and ended
    uint64_t peak_rss = 0;
    std::map<uint32_t, OfClass> classes;  // by object size
};

/// Parses a report. `file` is its name for errors. Throws FileError (text_file.h).
RunFigures parse_run_figures(std::string_view text, const std::string& file);

}  // namespace hotlane::cli
