// SPDX-License-Identifier: MIT
//
// The header for C++: a type for each message, and a class for the service.
#include "cli/pools/generate/header.h"

#include <algorithm>

namespace hotlane::cli {

namespace {

constexpr size_t kLineWidth = 110;

std::string message_type(const Plan& plan, const PlannedMessage& message) {
    return "/// At most " + description(plan, message) + ".\n" +  //
           "struct " + message.identifier + " {\n" +              //
           "    static constexpr const char* name = \"" + message.name + "\";\n" +
           "    static constexpr std::uint16_t type_id = " + std::to_string(message.type_id) + ";\n" +
           "    static constexpr std::uint32_t max_size = " + std::to_string(message.max_size) + ";\n" +
           "    static constexpr std::uint32_t buffer_class = " + std::to_string(message.buffer_class) +
           ";\n" + "};\n\n";
}

std::string flag(bool value) { return value ? "true" : "false"; }
std::string digit(bool value) { return value ? "1" : "0"; }

std::string tables(const Plan& plan) {
    const Service& service = plan.service;
    std::string text = "inline constexpr hotlane::message_row messages[] = {\n";
    text += message_rows(plan);
    text += "};\n\ninline constexpr hotlane::pool_class classes[] = {\n";
    text += class_rows(plan);
    const FrameHeader& header = plan.header;
    const auto number = [](std::string_view name, uint64_t value) {
        return "    ." + std::string{name} + " = " + std::to_string(value) + ",\n";
    };
    text += "};\n\ninline constexpr hotlane::pool_set_options options{\n";
    text += "    .when_exhausted = hotlane::on_exhausted::";
    text += service.falls_back ? "fallback,\n" : "fail,\n";
    text += "    .shared = hotlane::sharing::" + std::string{service.shared} + ",\n";
    text += "    .clear = hotlane::clear::";
    text += service.clears ? "on_put,\n" : "never,\n";
    text += number("memory_limit", service.memory_limit.value_or(0));
    text += "    .growth = " + growth_text(service) + ",\n";
    text += "};\n\ninline constexpr hotlane::frame_header header{\n";
    text += number("size", header.size) + number("type_offset", header.type_offset) +
            number("length_offset", header.length_offset) + number("length_bytes", header.length_bytes);
    text += "    .big_endian = " + digit(header.big_endian) + ",\n";
    text += "    .length_counts_header = " + digit(header.length_includes_header) + ",\n";
    text += "};\n\ninline constinit hotlane::service_row service{\n";
    text += "    .name = \"" + service.name + "\",\n";
    text += "    .messages = messages,\n    .classes = classes,\n    .options = options,\n    .header = "
            "header,\n";
    text += "    .enabled = " + flag(service.is_enabled) + ",\n";
    text += "};\n\ninline const hotlane::service_registration registration{service};\n";
    return text;
}

/// Returns the head of the class. If it is too long for a line, each message has one of its own.
std::string class_head(const Plan& plan) {
    const std::string name = "class " + plan.identifier + "_pools";
    const std::string base = ": public hotlane::message_pools<";
    std::string line = name + " " + base;
    for (const PlannedMessage& message : plan.messages) {
        line += (&message == plan.messages.data() ? "" : ", ") + message.identifier;
    }
    line += "> {";
    if (line.size() <= kLineWidth) {
        return line + "\n";
    }
    std::vector<std::string> lines{name};
    for (const PlannedMessage& message : plan.messages) {
        const bool is_first = &message == plan.messages.data();
        const bool is_last = &message == &plan.messages.back();
        lines.push_back("    " + (is_first ? base : std::string(base.size(), ' ')) + message.identifier +
                        (is_last ? "> {" : ","));
    }
    return separate_lines(lines);
}

std::string constructor(const Plan& plan) {
    const std::string head = "    " + plan.identifier + "_pools()";
    const std::string rest = ": message_pools{" + plan.identifier + "_service::service} {}\n";
    const bool fits = head.size() + rest.size() <= kLineWidth;
    return head + (fits ? " " : "\n        ") + rest;
}

}  // namespace

std::string cpp_header(const Plan& plan, const HeaderOptions& options) {
    const std::string& name_space = options.name_space;
    std::string text;
    for (const std::string& line : introduction(plan, options)) {
        text += "// " + line + "\n";
    }
    text += "#pragma once\n\n#include <hotlane/message_pools.hpp>\n\n#include <cstdint>\n\n";
    text += name_space.empty() ? "" : "namespace " + name_space + " {\n\n";
    for (const PlannedMessage& message : plan.messages) {
        text += message_type(plan, message);
    }
    const std::string detail = plan.identifier + "_service";
    text += "namespace " + detail + " {\n\n" + tables(plan) + "\n}  // namespace " + detail + "\n\n";
    text += "/// The pools of the service. get<MESSAGE>() and get(length) return a buffer.\n" +
            class_head(plan) + "  public:\n" + constructor(plan) + "};\n";
    text += name_space.empty() ? "" : "\n}  // namespace " + name_space + "\n";
    return text;
}

}  // namespace hotlane::cli
