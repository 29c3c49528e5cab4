// SPDX-License-Identifier: MIT
//
// Renders a profile as a single HTML page that needs no network and no other file.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace hotlane::cli {

/// Returns the page of a profile, which must have the structure of `hotlane report --json`.
std::string render_html(nlohmann::json profile);

}  // namespace hotlane::cli
