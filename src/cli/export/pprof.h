// SPDX-License-Identifier: MIT
//
// Exports a profile with its symbols in pprof's format (profile.proto).
#pragma once

#include <string>

namespace hotlane::cli {

class Profile;

/// Returns the message, compressed with gzip. Throws std::runtime_error when it is larger than 4 GiB.
std::string export_pprof(const Profile& profile);

}  // namespace hotlane::cli
