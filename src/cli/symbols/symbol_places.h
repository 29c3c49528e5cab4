// SPDX-License-Identifier: MIT
//
// Where the files of a dump are found: at their own paths, or elsewhere if the dump comes from another machine.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hotlane::cli {

struct SymbolPlaces {
    std::string sysroot;                                    // in front of every path
    std::vector<std::string> directories;                   // with .build-id/ab/cdef.debug below
    std::vector<std::pair<std::string, std::string>> maps;  // the start of a path, and what replaces it
    std::string
        perf_map;  // file with the functions of generated code; empty: /tmp/perf-PID.map, on this machine

    /// Returns the path of a file of the dump on this machine: the first map that applies, else the sysroot.
    std::string path_of(const std::string& path) const;
    /// Returns the files that a build-id may have in the directories, most complete first.
    std::vector<std::string> files_of(const std::string& build_id) const;
    /// Returns the directories in which libdw looks for separate debug information, in its own notation.
    std::string debug_path() const;
    /// Returns whether files are not looked for at the paths of the dump.
    bool elsewhere() const { return !sysroot.empty() || !maps.empty(); }
};

}  // namespace hotlane::cli
