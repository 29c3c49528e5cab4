// SPDX-License-Identifier: MIT
//
// Escapes text for a terminal, and cuts it between characters.
#include "cli/text/shown_text.h"

#include "text/characters.h"
#include "text/writer.h"

namespace hotlane::cli {

namespace {

constexpr std::string_view kEllipsis = "…";

}  // namespace

std::string shown_text(std::string_view text) {
    constexpr size_t kLongest = 4;  // bytes of an escape such as "\012"
    std::string shown(kLongest * text.size(), '\0');
    Writer out{shown.data(), shown.size()};
    out.shown(text);
    shown.resize(out.bytes_written());
    return shown;
}

std::string cut_text(std::string text, size_t most) {
    if (text.size() <= most) {
        return text;
    }
    size_t end = most - kEllipsis.size();
    while (end > 0 && !begins_character(text, end)) {
        --end;
    }
    text.resize(end);
    return text.append(kEllipsis);
}

std::string keep_end(std::string text, size_t most) {
    if (text.size() <= most) {
        return text;
    }
    size_t start = text.size() - (most - kEllipsis.size());
    while (!begins_character(text, start)) {
        ++start;
    }
    return text.replace(0, start, kEllipsis);
}

}  // namespace hotlane::cli
