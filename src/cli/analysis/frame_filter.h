// SPDX-License-Identifier: MIT
//
// Selects stacks by a regular expression over their frames.
#pragma once

#include "cli/profile/profile.h"

#include <memory>
#include <regex.h>
#include <string>

namespace hotlane::cli {

/// An extended POSIX regular expression that is searched in the names, files and libraries of functions.
class FrameFilter {
  public:
    /// Throws std::runtime_error with the reason when the expression is invalid.
    explicit FrameFilter(const std::string& expression);

    bool matches(const Profile& profile, const Profile::Stack& stack) const;
    bool matches_frame(const Profile& profile, uint32_t frame) const;
    bool matches_text(const std::string& text) const;

  private:
    std::shared_ptr<regex_t> expression_;
};

}  // namespace hotlane::cli
