// SPDX-License-Identifier: MIT
//
// The header for C99. Its constants are macros, so that the headers of two services may have the same message: the
// compiler accepts a second definition if it is the same, and refuses it otherwise.
#include "cli/pools/generate/header.h"

#include <algorithm>

namespace hotlane::cli {

namespace {

std::string upper(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
    return text;
}

std::string message_macros(const Plan& plan, const PlannedMessage& message) {
    const std::string start = "#define " + message.identifier;
    return "/** At most " + description(plan, message) + ". */\n" +  //
           start + "_TYPE_ID " + std::to_string(message.type_id) + "U\n" + start + "_MAX_SIZE " +
           std::to_string(message.max_size) + "U\n" + start + "_BUFFER_CLASS " +
           std::to_string(message.buffer_class) + "U\n\n";
}

std::string flags(const Service& service) {
    std::string text =
        service.falls_back || !service.is_enabled ? "HOTLANE_POOL_FALLBACK" : "HOTLANE_POOL_FAIL";
    text += service.shared == "any_thread" ? " | HOTLANE_POOL_SHARED" : "";
    text += service.shared == "reader_and_worker" ? " | HOTLANE_POOL_RING" : "";
    text += service.clears ? " | HOTLANE_POOL_ZERO_ON_PUT" : "";
    return text;
}

std::string tables(const Plan& plan) {
    std::string text = "static const struct hotlane_message " + plan.identifier + "_messages[] = {\n";
    text += message_rows(plan);
    text += "};\n\nstatic const struct hotlane_pool_class " + plan.identifier + "_classes[] = {\n";
    text += class_rows(plan);
    const FrameHeader& header = plan.header;
    const auto number = [](std::string_view name, uint64_t value) {
        return "    ." + std::string{name} + " = " + std::to_string(value) + ",\n";
    };
    text += "};\n\nstatic const struct hotlane_frame_header " + plan.identifier + "_header = {\n";
    text += number("size", header.size) + number("type_offset", header.type_offset) +
            number("length_offset", header.length_offset) + number("length_bytes", header.length_bytes) +
            number("big_endian", header.big_endian ? 1 : 0) +
            number("length_counts_header", header.length_includes_header ? 1 : 0);
    return text + "};\n\n";
}

std::string create_function(const Plan& plan) {
    const std::string& id = plan.identifier;
    return "/** Creates the pools of the service. Null on failure, as hotlane_pool_set_create(). */\n"
           "static inline hotlane_pool_set* " +
           id +
           "_pools_create(void) {\n"
           "    static const struct hotlane_pool_set_settings settings = {\n"
           "        .name = \"" +
           plan.service.name +
           "\",\n"
           "        .classes = " +
           id +
           "_classes,\n"
           "        .class_count = " +
           std::to_string(plan.classes.size()) +
           ",\n"
           "        .flags = " +
           flags(plan.service) +
           ",\n"
           "        .memory_limit = " +
           std::to_string(plan.service.memory_limit.value_or(0)) +
           ",\n"
           "        .growth = " +
           growth_text(plan.service) +
           ",\n"
           "    };\n"
           "    return hotlane_pool_set_create(&settings, sizeof settings);\n"
           "}\n\n";
}

std::string format_function(const Plan& plan) {
    const std::string& id = plan.identifier;
    return "/** Prepares the frames of the service for hotlane_frame_reader_init(). Null on failure. */\n"
           "static inline hotlane_frame_format* " +
           id +
           "_format_create(void) {\n"
           "    const struct hotlane_frame_header* header = &" +
           id +
           "_header;\n"
           "    const struct hotlane_message* messages = " +
           id +
           "_messages;\n"
           "    return hotlane_frame_format_create(header, messages, " +
           std::to_string(plan.messages.size()) + ");\n}\n\n";
}

}  // namespace

std::string c_header(const Plan& plan, const HeaderOptions& options) {
    const std::string guard = upper(plan.identifier) + "_POOLS_H";
    std::string text;
    for (const std::string& line : introduction(plan, options)) {
        text += (text.empty() ? "/* " : " * ") + line + "\n";
    }
    text += " */\n#ifndef " + guard + "\n#define " + guard + "\n\n#include <hotlane/hotlane.h>\n\n";
    for (const PlannedMessage& message : plan.messages) {
        text += message_macros(plan, message);
    }
    return text + tables(plan) + create_function(plan) + format_function(plan) + "#endif\n";
}

}  // namespace hotlane::cli
