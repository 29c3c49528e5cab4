// SPDX-License-Identifier: MIT
//
// Names of messages and services as identifiers of C and C++.
#pragma once

#include <string>
#include <string_view>

namespace hotlane::cli {

/// Returns the name with "-" and "." replaced by "_".
std::string to_identifier(std::string_view name);

/// Most characters of a name, so that the lines of the headers are not too long.
inline constexpr size_t kLongestMessage = 64;
inline constexpr size_t kLongestService = 48;

/// Returns why the name cannot become an identifier ("has the name of a keyword of C or C++"), or an empty text. A
/// name that can is also safe as a part of a file's name.
std::string identifier_problem(std::string_view name, size_t longest);

}  // namespace hotlane::cli
