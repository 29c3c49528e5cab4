// SPDX-License-Identifier: MIT
//
// Profiles of running processes, for pprof and as pages.
#pragma once

#include "cli/live/live_process.h"
#include "cli/serve/kept_dumps.h"

#include <chrono>
#include <optional>
#include <string>

namespace hotlane::cli {

/// What is live now, gzipped for pprof. A profile that the process has not is started, and goes on.
std::string heap_profile(const LiveDirectory& live, int64_t process);
/// What is allocated in the next time, gzipped for pprof. Returns when the time is over. A profile that the process
/// has not runs only for that time.
std::string allocations_profile(const LiveDirectory& live, int64_t process, std::chrono::seconds duration);
/// The HTML page of the profile, compared with the dump of an earlier page if its number is given. Throws LiveError if
/// that dump is not kept any more.
std::string profile_page(const LiveDirectory& live, int64_t process, KeptDumps& kept,
                         std::optional<int64_t> base = std::nullopt);

}  // namespace hotlane::cli
