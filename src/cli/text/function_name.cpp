// SPDX-License-Identifier: MIT
//
// Demangled names taken apart: what stands in brackets, and what stands before the name.
// Knows nothing of profiles.
// Called by profile and by what prints names.
#include "cli/text/function_name.h"

#include "cli/text/shown_text.h"

#include <algorithm>

namespace hotlane::cli {

namespace {

constexpr std::string_view kAnonymous = "(anonymous namespace)";
constexpr std::string_view kOperator = "operator";
constexpr std::string_view kAllocators[] = {
    "malloc", "calloc", "realloc", "reallocarray", "memalign", "aligned_alloc", "posix_memalign", "valloc",
    "pvalloc", "__libc_malloc", "__libc_calloc", "__libc_realloc", "__libc_memalign", "strdup", "strndup",
    "__strdup", "__strndup",
    // Of many programs: they end the program, or try again, when there is no memory.
    "xmalloc", "xcalloc", "xrealloc", "xstrdup", "xstrndup", "g_malloc", "g_malloc0", "g_realloc", "g_strdup",
    "CRYPTO_malloc", "CRYPTO_zalloc", "CRYPTO_realloc", "CRYPTO_strdup", "PyMem_Malloc", "PyMem_Calloc",
    "PyMem_Realloc", "PyMem_RawMalloc"};

/// The length of "operator" and the symbol after it, whose brackets are no brackets; 0 where there is none.
size_t operator_length(std::string_view name) {
    if (!name.starts_with(kOperator)) {
        return 0;
    }
    for (const std::string_view symbol :
         {"()", "<=>", "<<=", ">>=", "->*", "<<", ">>", "<=", ">=", "->", "<", ">", " new", " delete"}) {
        if (name.substr(kOperator.size()).starts_with(symbol)) {
            return kOperator.size() + symbol.size();
        }
    }
    return kOperator.size();
}

/// How far the bracket that `name` begins with reaches, brackets of its kind within it counted.
size_t bracket_length(std::string_view name) {
    const char open = name.front();
    const char close = open == '(' ? ')' : '>';
    int depth = 0;
    for (size_t i = 0; i < name.size(); ++i) {
        depth += name[i] == open ? 1 : name[i] == close ? -1 : 0;
        if (depth == 0) {
            return i + 1;
        }
    }
    return name.size();
}

/// What stands after the parameters is no name.
bool is_qualifier(std::string_view rest) {
    constexpr std::string_view kAfter[] = {" const", " [clone", " volatile", " &"};
    return std::any_of(std::begin(kAfter), std::end(kAfter),
                       [rest](std::string_view after) { return rest.starts_with(after); });
}

}  // namespace

std::string short_name(std::string_view name) {
    std::string result;
    while (!name.empty() && !is_qualifier(name)) {
        const char next = name.front();
        size_t taken = 1;
        if (name.starts_with(kAnonymous)) {
            taken = kAnonymous.size();
            result.append(kAnonymous);
        } else if (const size_t length = operator_length(name); length != 0) {
            taken = length;
            result.append(name.substr(0, length));
        } else if (next == '(' || next == '<') {
            taken = bracket_length(name);
            // "<T as Clone>::clone", "(name)": no argument of anything.
            result.append(result.empty() ? name.substr(0, taken) : next == '<' ? "<>" : "");
        } else if (next == ' ' && !result.ends_with(kOperator)) {
            // What it returns, or the space between an operator and its arguments.
            result.erase(name.starts_with(" <") ? result.size() : 0);
        } else {
            result += next;
        }
        name.remove_prefix(taken);
    }
    return result;
}

std::string bounded_name(const std::string& name) {
    return name.size() <= kLongestName ? name : cut_text(short_name(name), kLongestName);
}

bool is_allocator(std::string_view function, std::string_view library) {
    return library.starts_with("libhotlane.so") || function.starts_with("hotlane::") ||
           function.starts_with("hotlane_") || function.starts_with("operator new") ||
           std::find(std::begin(kAllocators), std::end(kAllocators), function) != std::end(kAllocators);
}

bool is_standard(std::string_view function) {
    const std::string name = short_name(function);
    return name.starts_with("std::") || name.starts_with("__gnu_cxx::");
}

}  // namespace hotlane::cli
