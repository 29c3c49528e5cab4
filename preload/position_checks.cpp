// SPDX-License-Identifier: MIT
//
// The C++ library checks positions, for example in string_view::substr, and calls a function of libstdc++ if one is
// wrong. What the compiler does not optimise away calls this function instead, so that we need no libstdc++.
#include "base/base.h"

namespace hotlane {

// Declared by its symbol, because the C++ library's own declaration, if a header has it, is visible to programs.
[[noreturn, gnu::visibility("hidden")]] void
position_out_of_range(const char* format, ...) asm("_ZSt24__throw_out_of_range_fmtPKcz");

[[noreturn]] void position_out_of_range(const char* /*format*/, ...) {
    check_failed("a position lies within the text", __FILE_NAME__, __LINE__);
}

}  // namespace hotlane
