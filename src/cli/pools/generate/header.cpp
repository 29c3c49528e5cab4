// SPDX-License-Identifier: MIT
//
// What the headers of both languages have in common.
#include "cli/pools/generate/header.h"

#include "cli/text/quantity.h"
#include "cli/text/shown_text.h"

#include <algorithm>
#include <charconv>

namespace hotlane::cli {

std::string header_file_name(const Plan& plan, Language language) {
    return plan.identifier + (language == Language::cpp ? "_pools.hpp" : "_pools.h");
}

std::string header_text(const Plan& plan, const HeaderOptions& options) {
    return options.language == Language::cpp ? cpp_header(plan, options) : c_header(plan, options);
}

std::vector<std::string> introduction(const Plan& plan, const HeaderOptions& options) {
    constexpr size_t kLongestName = 64;
    std::vector<std::string> lines{"Made by `hotlane pools generate` from these files. Do not edit."};
    for (const std::string& source : options.sources) {
        // A comment must not end early.
        std::string name = cut_text(shown_text(source), kLongestName);
        for (size_t at = name.find("*/"); at != name.npos; at = name.find("*/")) {
            name.replace(at, 2, "* /");
        }
        lines.push_back("  " + name);
    }
    lines.push_back("Pools of the service " + plan.service.name + ": " +
                    counted(static_cast<int64_t>(plan.messages.size()), "message") + ", " +
                    counted(static_cast<int64_t>(plan.bytes()), "byte") + " of buffers.");
    return lines;
}

std::string description(const Plan& plan, const PlannedMessage& message) {
    const PlannedClass& one = plan.class_of(message);
    const std::string bytes = counted(static_cast<int64_t>(message.max_size), "byte");
    if (one.capacity == 0) {
        return bytes + ", in a buffer of " + std::to_string(one.object_size) + " from malloc";
    }
    return bytes + ", in one of " + counted(static_cast<int64_t>(one.capacity), "buffer") + " of " +
           std::to_string(one.object_size);
}

std::string message_rows(const Plan& plan) {
    std::vector<std::string> lines;
    for (const PlannedMessage& message : plan.messages) {
        lines.push_back("    {\"" + message.name + "\", " + std::to_string(message.type_id) + ", " +
                        std::to_string(message.max_size) + ", " + std::to_string(message.buffer_class) +
                        "},");
    }
    return separate_lines(lines);
}

std::string class_rows(const Plan& plan) {
    std::vector<std::string> lines;
    for (const PlannedClass& one : plan.classes) {
        const bool grows = plan.service.max_capacity > one.capacity && one.capacity != 0;
        lines.push_back("    {" + std::to_string(one.object_size) + ", " + std::to_string(one.capacity) +
                        ", " + std::to_string(grows ? plan.service.max_capacity : 0) + "},");
    }
    return separate_lines(lines);
}

std::string growth_text(const Service& service) {
    char text[32];
    const auto end = std::to_chars(text, text + sizeof text, service.growth, std::chars_format::fixed).ptr;
    const std::string digits{text, end};
    return digits.find('.') == digits.npos ? digits + ".0" : digits;
}

std::string separate_lines(const std::vector<std::string>& lines) {
    size_t width = 0;
    for (const std::string& line : lines) {
        width = std::max(width, line.size());
    }
    std::string text;
    for (const std::string& line : lines) {
        text += line;
        text += std::string(width - line.size(), ' ') + "  //\n";
    }
    return text;
}

}  // namespace hotlane::cli
