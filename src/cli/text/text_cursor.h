// SPDX-License-Identifier: MIT
//
// Going through a line of text: numbers, words and what stands between them.
// Knows nothing of what the line means.
// Used by profile_reader.
#pragma once

#include <charconv>
#include <string_view>

namespace hotlane::cli {

/// Each verb returns false, and stays where it is, when what it looks for is not there.
class TextCursor {
  public:
    explicit TextCursor(std::string_view text) : text_{text} {}

    bool literal(std::string_view expected) {
        if (!text_.starts_with(expected)) {
            return false;
        }
        text_.remove_prefix(expected.size());
        return true;
    }
    /// Digits only, that fit.
    template <typename Integer>
    bool number(Integer& value, int base = 10) {
        if (text_.starts_with('-')) {
            return false;
        }
        Integer found = 0;
        const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), found, base);
        if (error != std::errc{}) {
            return false;
        }
        text_.remove_prefix(static_cast<size_t>(end - text_.data()));
        value = found;
        return true;
    }
    bool spaces() {
        const size_t count = text_.find_first_not_of(' ');
        if (count == 0) {
            return false;
        }
        text_.remove_prefix(count == std::string_view::npos ? text_.size() : count);
        return true;
    }
    /// Up to the next space; empty at the end.
    std::string_view word() {
        const std::string_view found = text_.substr(0, text_.find(' '));
        text_.remove_prefix(found.size());
        return found;
    }
    std::string_view rest() const { return text_; }
    bool at_end() const { return text_.empty(); }

  private:
    std::string_view text_;
};

}  // namespace hotlane::cli
