// SPDX-License-Identifier: MIT
//
// The C++ library checks positions, for example in string_view::substr, and calls a function of libstdc++ if one is
// wrong. What the compiler does not optimise away calls this function instead, so that we need no libstdc++.
#include "base/base.h"

namespace std {

[[noreturn, gnu::visibility("hidden")]] void __throw_out_of_range_fmt(const char* /*format*/, ...) {
    hotlane::check_failed("a position lies within the text", __FILE_NAME__, __LINE__);
}

}  // namespace std
