// SPDX-License-Identifier: MIT
//
// Exit statuses of commands that start a program, the same as those of env(1), nice(1) and timeout(1).
#pragma once

namespace hotlane::cli {

/// The command failed, or its arguments were wrong.
inline constexpr int kFailed = 125;
/// The program was found but cannot be started.
inline constexpr int kCannotRun = 126;
/// The program was not found.
inline constexpr int kNotFound = 127;

}  // namespace hotlane::cli
