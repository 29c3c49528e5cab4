// SPDX-License-Identifier: MIT
//
// Exit statuses of commands that start a program: the same as those of env(1), nice(1) and timeout(1).
#pragma once

namespace hotlane::cli {

/// The command itself failed, or was used wrongly.
inline constexpr int kFailed = 125;
/// The program was found but cannot be started.
inline constexpr int kCannotRun = 126;
inline constexpr int kNotFound = 127;

}  // namespace hotlane::cli
