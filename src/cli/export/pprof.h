// SPDX-License-Identifier: MIT
//
// A profile in the format of pprof (profile.proto), with its symbols inside.
// Knows nothing of dumps, nor of the other formats.
// Called by report.
#pragma once

#include <string>

namespace hotlane::cli {

class Profile;

/// The gzipped message.
std::string export_pprof(const Profile& profile);

}  // namespace hotlane::cli
