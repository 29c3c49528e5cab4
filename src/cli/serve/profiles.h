// SPDX-License-Identifier: MIT
//
// Profiles of running processes, for pprof and as pages.
#pragma once

#include "cli/live/live_process.h"

#include <chrono>
#include <string>

namespace hotlane::cli {

/// What is live now, gzipped for pprof. A profile that the process has not is started, and goes on.
std::string heap_profile(const LiveDirectory& live, int64_t process);
/// What is allocated in the next time, gzipped for pprof. Returns when the time is over. A profile that the process
/// has not runs only for that time.
std::string allocations_profile(const LiveDirectory& live, int64_t process, std::chrono::seconds duration);
/// The HTML page of the profile.
std::string profile_page(const LiveDirectory& live, int64_t process);

}  // namespace hotlane::cli
