// SPDX-License-Identifier: MIT
//
// Parses a line of text from left to right: numbers, words and separators.
#pragma once

#include <charconv>
#include <string_view>

namespace hotlane::cli {

/// Each function that returns bool returns false and does not advance when the expected text is not there.
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
    /// Accepts digits only, of a value that fits `Integer`.
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
    /// Returns the text up to the next space. It is empty at the end of the line.
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
