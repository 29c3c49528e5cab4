// SPDX-License-Identifier: MIT
//
// Shortens C++ names, and recognises functions that allocate on behalf of their callers.
#include "cli/text/function_name.h"

#include "cli/text/shown_text.h"

#include <algorithm>

namespace hotlane::cli {

namespace {

constexpr std::string_view kAnonymous = "(anonymous namespace)";
constexpr std::string_view kOperator = "operator";
constexpr std::string_view kAllocators[] = {
    "malloc",        "calloc",         "realloc",        "reallocarray", "memalign",
    "aligned_alloc", "posix_memalign", "valloc",         "pvalloc",      "__libc_malloc",
    "__libc_calloc", "__libc_realloc", "__libc_memalign"};
/// How the names of wrappers begin. Compilers append ".constprop.0" and the like.
constexpr std::string_view kWrappers[] = {
    "operator new", "strdup", "strndup", "__strdup", "__strndup",
    // Functions of many programs, which abort or retry when memory is exhausted.
    "xmalloc", "xcalloc", "xzalloc", "xrealloc", "xreallocarray", "xstrdup", "xstrndup", "xmemdup", "zmalloc",
    "zcalloc", "zrealloc", "zstrdup", "ztrymalloc", "ztrycalloc", "ztryrealloc",
    // Functions of libraries.
    "g_malloc", "g_try_malloc", "g_realloc", "g_try_realloc", "g_strdup", "g_strndup", "g_memdup",
    "g_slice_alloc", "CRYPTO_malloc", "CRYPTO_zalloc", "CRYPTO_realloc", "CRYPTO_strdup", "PyMem_", "_PyMem_",
    "PyObject_Malloc", "PyObject_Calloc", "PyObject_Realloc", "_PyObject_Malloc", "_PyObject_Calloc",
    "_PyObject_Realloc", "sqlite3Malloc", "sqlite3MemMalloc", "sqlite3MemRealloc", "sqlite3_malloc",
    "sqlite3_realloc", "sqlite3Realloc", "sqlite3DbMalloc", "sqlite3DbRealloc", "sqlite3DbStrDup",
    "sqlite3DbStrNDup"};

/// Returns the length of "operator" and the symbol after it, whose brackets are part of the name. Returns 0
/// when the text does not start with an operator.
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

/// Returns the length of the bracketed text at the start of `name`, including nested brackets of the same
/// kind.
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

/// Returns whether the text after the parameters is a qualifier instead of a part of the name.
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
            // Brackets at the start, as in "<T as Clone>::clone", are part of the name.
            result.append(result.empty() ? name.substr(0, taken) : next == '<' ? "<>" : "");
        } else if (next == ' ' && !result.ends_with(kOperator)) {
            // The text before a space is the return type, unless the space precedes template arguments.
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
           function.starts_with("hotlane_") ||
           std::find(std::begin(kAllocators), std::end(kAllocators), function) != std::end(kAllocators);
}

bool is_wrapper(std::string_view function) {
    return std::any_of(std::begin(kWrappers), std::end(kWrappers),
                       [function](std::string_view start) { return function.starts_with(start); });
}

bool is_standard(std::string_view function) {
    const std::string name = short_name(function);
    return name.starts_with("std::") || name.starts_with("__gnu_cxx::");
}

}  // namespace hotlane::cli
