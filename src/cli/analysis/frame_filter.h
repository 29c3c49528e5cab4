// SPDX-License-Identifier: MIT
//
// Choosing stacks by regular expressions over their frames.
// Knows nothing of how profiles are shown.
// Called by report.
#pragma once

#include "cli/profile/profile.h"

#include <memory>
#include <regex.h>
#include <string>

namespace hotlane::cli {

/// An extended POSIX regular expression, searched in the names, files and libraries of functions.
class FrameFilter {
  public:
    /// Throws std::runtime_error with the reason when it is none.
    explicit FrameFilter(const std::string& expression);

    bool matches(const Profile& profile, const Profile::Stack& stack) const;

  private:
    std::shared_ptr<regex_t> expression_;
};

}  // namespace hotlane::cli
