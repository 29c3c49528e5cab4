// SPDX-License-Identifier: MIT
//
// Reads suppression files and matches their patterns.
#include "cli/analysis/suppressions.h"

#include "cli/text/text_file.h"

#include <algorithm>

namespace hotlane::cli {

namespace {

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view kBlank = " \t\r";
    const size_t first = text.find_first_not_of(kBlank);
    return first == std::string_view::npos ? std::string_view{}
                                           : text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

}  // namespace

bool matches_pattern(std::string_view pattern, std::string_view text) {
    bool fixed = pattern.starts_with('^');  // the next piece must be at the start of the text
    pattern.remove_prefix(fixed ? 1 : 0);
    const bool to_end = pattern.ends_with('$');
    pattern.remove_suffix(to_end ? 1 : 0);
    while (true) {
        const size_t star = pattern.find('*');
        const std::string_view piece = pattern.substr(0, star);
        const bool last = star == std::string_view::npos;
        if (last && to_end) {
            return fixed ? text == piece : text.ends_with(piece);
        }
        const size_t found =
            fixed ? (text.starts_with(piece) ? 0 : std::string_view::npos) : text.find(piece);
        if (found == std::string_view::npos) {
            return false;
        }
        if (last) {
            return true;
        }
        text.remove_prefix(found + piece.size());
        pattern.remove_prefix(star + 1);
        fixed = false;
    }
}

Suppressions Suppressions::parse(std::string_view text, const std::string& file) {
    constexpr std::string_view kLeak = "leak:";
    Suppressions suppressions;
    for (size_t number = 1; !text.empty(); ++number) {
        const size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = trimmed(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.empty() || line.starts_with('#')) {
            continue;
        }
        if (!line.starts_with(kLeak) || line.size() == kLeak.size()) {
            throw FileError{file + ":" + std::to_string(number) + ": expected leak:PATTERN"};
        }
        suppressions.patterns_.emplace_back(line.substr(kLeak.size()));
    }
    return suppressions;
}

Suppressions Suppressions::read(const std::string& file) { return parse(read_file(file), file); }

bool Suppressions::suppress(const Profile& profile, const Profile::Stack& stack) const {
    return std::any_of(patterns_.begin(), patterns_.end(), [&](const std::string& pattern) {
        return std::any_of(stack.frames.begin(), stack.frames.end(), [&](uint32_t frame) {
            const Profile::Function& function = profile.function_of(frame);
            return matches_pattern(pattern, function.name) || matches_pattern(pattern, function.file) ||
                   matches_pattern(pattern, profile.library_of(frame).path);
        });
    });
}

}  // namespace hotlane::cli
