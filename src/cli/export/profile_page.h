// SPDX-License-Identifier: MIT
//
// The HTML page in two halves, between which the profile is inserted. scripts/embed_page generates the
// definitions from page/ at build time.
#pragma once

#include <string_view>

namespace hotlane::cli {

extern const std::string_view kPageBeforeProfile;
extern const std::string_view kPageAfterProfile;

}  // namespace hotlane::cli
