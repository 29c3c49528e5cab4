// SPDX-License-Identifier: MIT
//
// What is reserved in C and C++, and in the generated headers.
#include "cli/pools/generate/identifier.h"

#include <algorithm>

namespace hotlane::cli {

namespace {

// Up to C23 and C++23. Each word is between two spaces.
constexpr std::string_view kKeywords =
    " alignas alignof and and_eq asm auto bitand bitor bool break case catch char char16_t char32_t "
    "char8_t class co_await co_return co_yield compl concept const const_cast consteval constexpr "
    "constinit continue decltype default delete do double dynamic_cast else enum explicit export extern "
    "false float for friend goto if inline int long mutable namespace new noexcept not not_eq nullptr "
    "operator or or_eq private protected public register reinterpret_cast requires restrict return "
    "short signed sizeof static static_assert static_cast struct switch template this thread_local "
    "throw true try typedef typeid typename typeof typeof_unqual union unsigned using virtual void "
    "volatile wchar_t while xor xor_eq ";

// What the generated headers use, or the headers that they include, and macros of compilers.
constexpr std::string_view kTaken =
    " EOF NULL buffer_class errno hotlane int16_t int32_t int64_t int8_t intptr_t linux main max_align_t "
    "max_size name ptrdiff_t size_t std type_id uint16_t uint32_t uint64_t uint8_t uintptr_t unix ";

bool is_among(std::string_view words, const std::string& word) {
    return words.find(" " + word + " ") != words.npos;
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_separator(char c) { return c == '_' || c == '-' || c == '.'; }

}  // namespace

std::string to_identifier(std::string_view name) {
    std::string identifier{name};
    std::replace_if(identifier.begin(), identifier.end(), is_separator, '_');
    return identifier;
}

std::string identifier_problem(std::string_view name, size_t longest) {
    const auto is_allowed = [](char c) { return is_letter(c) || is_digit(c) || is_separator(c); };
    if (name.empty() || !is_letter(name[0]) || !std::all_of(name.begin(), name.end(), is_allowed)) {
        return "cannot become an identifier; use letters, digits, _ and -, with a letter first";
    }
    if (name.size() > longest) {
        return "has a name of more than " + std::to_string(longest) + " characters";
    }
    const std::string identifier = to_identifier(name);
    if (identifier.find("__") != identifier.npos) {
        return "would have two underscores in a row, which C++ reserves";
    }
    if (is_among(kKeywords, identifier)) {
        return "has the name of a keyword of C or C++";
    }
    return is_among(kTaken, identifier) ? "has a name that is used otherwise in C or C++" : "";
}

}  // namespace hotlane::cli
