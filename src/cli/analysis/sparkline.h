// SPDX-License-Identifier: MIT
//
// The timeline of a profile as lines of text: blocks whose heights stand for numbers.
#pragma once

#include "cli/profile/profile.h"

#include <string>

namespace hotlane::cli {

/// Returns two lines, live bytes and requests per second, each with its highest value, and the time of the
/// peak. Returns nothing if the profile has no timeline, or is a difference.
std::string timeline_text(const Profile& profile, size_t width);

}  // namespace hotlane::cli
