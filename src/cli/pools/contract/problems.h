// SPDX-License-Identifier: MIT
//
// What is wrong with the input of `hotlane pools`. Everything is collected and reported at once.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hotlane::cli {

/// A place in an input file. Lines and columns count from 1; 0 stands for the whole file.
struct Place {
    std::string file;
    uint32_t line = 0;
    uint32_t column = 0;
};

class Problems {
  public:
    /// Records that something is wrong. Unsafe characters in `what` are escaped, and a long text is cut.
    void add(const Place& place, std::string_view what);
    bool empty() const { return all_.empty(); }
    /// Returns "; did you mean "NAME"?" for the name of `known` that is closest to `name`, or nothing when none is
    /// close, or there are so many names or problems that the search would take long.
    std::string suggestion(std::string_view name, const std::vector<std::string_view>& known) const;
    /// Returns a line "FILE:LINE:COLUMN: WHAT" for each problem: files in the order in which problems were found
    /// in them, then in the order of places. A problem of a whole file is at line 1, column 1. After kMost
    /// problems, a last line says how many more there are.
    std::vector<std::string> lines() const;

  private:
    static constexpr size_t kMost = 1000;

    struct Problem {
        Place place;
        size_t file;  // number of the file
        std::string what;
    };

    std::vector<Problem> all_;
    std::vector<std::string> files_;
    size_t left_out_ = 0;
};

/// Returns the name in quotes.
std::string quoted(std::string_view name);

}  // namespace hotlane::cli
