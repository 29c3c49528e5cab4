// SPDX-License-Identifier: MIT
//
// The signals that HOTLANE_PROFILE_SIGNAL can name.
#pragma once

#include "text/writer.h"

#include <string_view>

namespace hotlane {

/// Returns the number of "off" (0), of an ordinary signal such as "USR2", or of a real-time signal: "RTMIN+3", or
/// its number. Returns -1 for anything else. A "SIG" before the name is accepted.
int parse_signal(std::string_view text);
/// Writes the name of a number that parse_signal() returned.
void write_signal(Writer& out, int number);

}  // namespace hotlane
