// SPDX-License-Identifier: MIT
//
// Patterns in LeakSanitizer's format for objects that are meant to stay live.
#pragma once

#include "cli/profile/profile.h"

#include <string>
#include <string_view>
#include <vector>

namespace hotlane::cli {

/// Returns whether the pattern occurs in the text. * matches any text; ^ at the start and $ at the end of the
/// pattern match the start and the end of the text.
bool matches_pattern(std::string_view pattern, std::string_view text);

/// A list of lines "leak:PATTERN". Empty lines and lines that start with # are ignored.
class Suppressions {
  public:
    /// Read the suppressions from a file or from its text. Both throw FileError (text_file.h).
    static Suppressions read(const std::string& file);
    static Suppressions parse(std::string_view text, const std::string& file);

    /// Returns whether a pattern matches the name, file or library of a function in the stack.
    bool suppress(const Profile& profile, const Profile::Stack& stack) const;

  private:
    std::vector<std::string> patterns_;
};

}  // namespace hotlane::cli
