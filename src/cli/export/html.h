// SPDX-License-Identifier: MIT
//
// A profile as one HTML page that needs nothing else: no network, no second file.
// Knows nothing of where the profile comes from, nor of how the page shows it.
// Called by report.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace hotlane::cli {

/// The page of the profile, which has the shape of `hotlane report --json`.
std::string render_html(const nlohmann::json& profile);

}  // namespace hotlane::cli
