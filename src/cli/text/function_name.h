// SPDX-License-Identifier: MIT
//
// Shortens the names of functions, and tells allocators and the C++ library from other code.
#pragma once

#include <string>
#include <string_view>

namespace hotlane::cli {

/// The greatest length of a function's name in a profile, in bytes.
inline constexpr size_t kLongestName = 1024;

/// Returns the name, at most kLongestName bytes long. A longer name loses its parameters and template
/// arguments; if it is still too long, it is cut and ends in "…".
std::string bounded_name(const std::string& name);

/// Returns a C++ name without parameters, template arguments and return type: "std::vector<>::push_back".
std::string short_name(std::string_view name);

/// Returns whether the function is malloc or a similar function of libc, or one of hotlane.
bool is_allocator(std::string_view function, std::string_view library);
/// Returns whether the function allocates on behalf of its caller: operator new, and what many programs and
/// libraries call instead of malloc, such as xmalloc, zmalloc, g_malloc and PyMem_Malloc.
bool is_wrapper(std::string_view function);
/// Returns whether the function belongs to the C++ library, which allocates for the program's containers and
/// strings.
bool is_standard(std::string_view function);

}  // namespace hotlane::cli
