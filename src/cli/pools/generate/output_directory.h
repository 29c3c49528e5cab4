// SPDX-License-Identifier: MIT
//
// Writes generated files as a whole or not at all.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hotlane::cli {

/// Replaces DIRECTORY/NAME by a file with that text, in one step: whoever reads it sees the old file or the new
/// one. A link of that name is replaced, not followed. Makes the directory if only its last part is missing.
/// Throws FileError.
void replace_file(const std::string& directory, const std::string& name, std::string_view text);

/// Returns a rule for make and ninja: that `target` is made from `sources`.
std::string dependency_rule(const std::string& target, const std::vector<std::string>& sources);

}  // namespace hotlane::cli
