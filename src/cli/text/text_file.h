// SPDX-License-Identifier: MIT
//
// Whole files in and out, and what is said when one is not as it should be.
// Knows nothing of what they hold.
// Used by the readers and by report.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace hotlane::cli {

/// The exit status that follows a FileError.
inline constexpr int kBadFile = 2;

/// A file cannot be read or written, or is not what it should be: "FILE:LINE: what was expected", for the
/// user.
class FileError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// All of it. Where it does not begin with `magic`, little more than that: a device may never end.
std::string read_file(const std::string& file, std::string_view magic = {});

/// Replaces the file; "-" is standard output.
void write_file(const std::string& file, std::string_view text);

}  // namespace hotlane::cli
