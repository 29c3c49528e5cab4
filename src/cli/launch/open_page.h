// SPDX-License-Identifier: MIT
//
// Opens a file with the program that the desktop has for it.
#pragma once

#include <string>

namespace hotlane::cli {

/// Runs xdg-open with the file and waits for it. Reports in one line if that failed; the file is there anyway.
void open_page(const std::string& file);

}  // namespace hotlane::cli
