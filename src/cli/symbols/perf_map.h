// SPDX-License-Identifier: MIT
//
// The functions of code that was generated at run time, from the file that the program writes for perf(1).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace hotlane::cli {

/// Functions by address. Later lines replace what earlier ones said about the same addresses, because memory of code
/// is used again.
class PerfMap {
  public:
    struct Function {
        uint64_t end = 0;
        std::string name;
        std::string file{};  // empty: unknown
        int64_t line = 0;    // where the function begins; 0: unknown
    };

    PerfMap() = default;
    /// Reads lines of "START SIZE NAME", the numbers in hexadecimal. Ignores other lines: the program may be in the
    /// middle of writing one. CPython's "py::NAME:FILE" and V8's "NAME FILE:LINE:COLUMN" also say where the function is.
    explicit PerfMap(std::string_view text);

    /// The function that contains the address, or null.
    const Function* function_at(uint64_t address) const;

  private:
    void add(uint64_t start, uint64_t end, std::string_view name);

    std::map<uint64_t, Function> functions_;  // by first address; they do not overlap
};

/// Reads the file that a user names. Throws FileError (text_file.h).
PerfMap read_perf_map(const std::string& file);
/// Reads /tmp/perf-PID.map, in which everybody can write. It must be a regular file, not a link, and belong to the
/// user of this command or to `owner`, and must have been written since `begin_ns` (since 1970), so that it is not the
/// file of an earlier process with this id. Returns an empty map otherwise.
PerfMap perf_map_of(int64_t process, uid_t owner, int64_t begin_ns);

}  // namespace hotlane::cli
