// SPDX-License-Identifier: MIT
//
// The page of a profile as text, made of page/ when hotlane is built: the profile goes between the halves.
// Knows nothing of any profile.
// Used by profile_html.
#pragma once

#include <string_view>

namespace hotlane::cli {

extern const std::string_view kPageBeforeProfile;
extern const std::string_view kPageAfterProfile;

}  // namespace hotlane::cli
