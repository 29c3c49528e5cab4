// SPDX-License-Identifier: MIT
//
// What must hold of any input of `hotlane pools`: it is refused with lines that have places, or gives pools that
// hold its messages.
#pragma once

#include "cli/pools/generate/header.h"
#include "cli/pools/generate/plan.h"
#include "cli/pools/generate/table.h"
#include "cli/text/shown_text.h"
#include "input.h"

#include <string>

namespace hotlane::fuzz {

inline void require_places(const cli::Problems& problems) {
    for (const std::string& line : problems.lines()) {
        require(cli::shown_text(line) == line, "one line that a terminal shows");
        require(line.find(":") != line.npos || line.ends_with("more problems"), "a place");
    }
}

inline void require_plan(const cli::Plan& plan) {
    for (const cli::PlannedMessage& message : plan.messages) {
        require(message.type_id <= UINT16_MAX && message.max_size <= cli::kMostBytes,
                "a type id and a size in bounds");
        require(message.buffer_class >= message.max_size, "a buffer that holds the message");
        require(message.buffer_class % 64 == 0 && message.buffer_class <= cli::kMostBytes, "a class");
        require(plan.class_of(message).object_size == message.buffer_class, "a class for each message");
    }
    for (const cli::Language language : {cli::Language::cpp, cli::Language::c}) {
        const cli::HeaderOptions options{language, "", {"input"}};
        const std::string text = cli::header_text(plan, options);
        require(text == cli::header_text(plan, options), "the same text for the same input");
        std::string line;
        for (const char c : text) {
            line = c == '\n' ? "" : line + c;
            require(line.size() <= 110 && (c == '\n' || (c >= ' ' && c < 127)), "a line of plain characters");
        }
    }
    require(!cli::plan_table(plan).empty(), "a table");
}

/// Plans pools for the first messages of the contract.
inline void plan_some(cli::Contract contract) {
    cli::Problems problems;
    cli::Service service;
    service.name = "a-service";
    for (const cli::Message& message : contract.messages) {
        constexpr size_t kMost = 20;
        if (!message.is_entry && service.messages.size() < kMost) {
            service.messages.push_back({message.full_name, message.place});
        }
    }
    for (const cli::ClassRule rule : {cli::ClassRule::power_of_two, cli::ClassRule::tight}) {
        const cli::Plan plan = cli::make_plan(contract, service, rule, problems);
        if (problems.empty()) {
            require_plan(plan);
        }
    }
    require_places(problems);
}

}  // namespace hotlane::fuzz
