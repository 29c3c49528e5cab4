// SPDX-License-Identifier: MIT
//
// What a function's name tells: how to say it in short, and whether it allocates for somebody else.
// Knows nothing of profiles.
// Used by profile and by what prints names.
#pragma once

#include <string>
#include <string_view>

namespace hotlane::cli {

/// Bytes of a function's name in a profile.
inline constexpr size_t kLongestName = 1024;

/// A name that is longer loses its parameters and template arguments, and what is then still too much is cut:
/// "…".
std::string bounded_name(const std::string& name);

/// A C++ name without parameters, template arguments and what it returns: "std::vector<>::push_back".
std::string short_name(std::string_view name);

/// Whether the function hands out memory on behalf of its caller: malloc and its like, operator new, and all
/// of hotlane.
bool is_allocator(std::string_view function, std::string_view library);
/// Whether it is of the C++ library, which allocates for the program's containers and strings.
bool is_standard(std::string_view function);

}  // namespace hotlane::cli
