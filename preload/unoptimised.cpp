// SPDX-License-Identifier: MIT
//
// In builds without optimisation only. There the C++ library's checks of positions stay in the code, for example in
// string_view::starts_with, and call a function of libstdc++, which our library does not need.
#include "base/base.h"

namespace std {

[[noreturn, gnu::visibility("hidden")]] void __throw_out_of_range_fmt(const char* /*format*/, ...) {
    hotlane::check_failed("a position lies within the text", __FILE_NAME__, __LINE__);
}

}  // namespace std
