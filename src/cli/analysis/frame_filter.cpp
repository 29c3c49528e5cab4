// SPDX-License-Identifier: MIT
//
// Matches regular expressions with libc's regexec(), which needs no deep stack for long names, unlike
// std::regex.
#include "cli/analysis/frame_filter.h"

#include <algorithm>
#include <stdexcept>

namespace hotlane::cli {

FrameFilter::FrameFilter(const std::string& expression) {
    regex_t compiled;
    const int error = regcomp(&compiled, expression.c_str(), REG_EXTENDED | REG_NOSUB);
    if (error != 0) {
        char reason[128];
        regerror(error, &compiled, reason, sizeof reason);
        throw std::runtime_error{"\"" + expression + "\" is not a regular expression: " + reason};
    }
    expression_ = {new regex_t{compiled}, [](regex_t* owned) {
                       regfree(owned);
                       delete owned;
                   }};
}

bool FrameFilter::matches_text(const std::string& text) const {
    return regexec(expression_.get(), text.c_str(), 0, nullptr, 0) == 0;
}

bool FrameFilter::matches_frame(const Profile& profile, uint32_t frame) const {
    const Profile::Function& function = profile.function_of(frame);
    return matches_text(function.name) || matches_text(function.file) ||
           matches_text(profile.library_of(frame).path);
}

bool FrameFilter::matches(const Profile& profile, const Profile::Stack& stack) const {
    return std::any_of(stack.frames.begin(), stack.frames.end(),
                       [&](uint32_t frame) { return matches_frame(profile, frame); });
}

}  // namespace hotlane::cli
