// SPDX-License-Identifier: MIT
//
// Which live objects are meant to be live: patterns in LeakSanitizer's format.
// Knows nothing of how leaks are shown.
// Used by leaks.
#pragma once

#include "cli/profile/profile.h"

#include <string>
#include <string_view>
#include <vector>

namespace hotlane::cli {

/// Whether `pattern` is found in the text: * stands for anything, ^ before it for the text's beginning and $
/// after it for its end.
bool matches_pattern(std::string_view pattern, std::string_view text);

/// Lines "leak:PATTERN"; empty lines and those that begin with # say nothing.
class Suppressions {
  public:
    /// Throws FileError (text_file.h).
    static Suppressions read(const std::string& file);
    static Suppressions parse(std::string_view text, const std::string& file);

    /// Whether a pattern is found in the name, the file or the library of one of the stack's functions.
    bool suppress(const Profile& profile, const Profile::Stack& stack) const;

  private:
    std::vector<std::string> patterns_;
};

}  // namespace hotlane::cli
