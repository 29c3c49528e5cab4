// SPDX-License-Identifier: MIT
//
// What /proc says about a process.
#pragma once

#include <cstdint>
#include <string>

namespace hotlane::cli {

/// The resident set in bytes; 0 if unknown.
uint64_t resident_bytes(int64_t process);
/// The path of the control group, such as "/system.slice/redis.service"; empty if unknown. Safe to show.
std::string control_group(int64_t process);
/// The id of the container in the path of a control group: its last 64 hexadecimal digits. Empty if there is none.
std::string container_in(const std::string& group);

}  // namespace hotlane::cli
