// SPDX-License-Identifier: MIT
//
// Writes the pools of a service as a header. The text is laid out as clang-format leaves it.
#pragma once

#include "cli/pools/generate/plan.h"

#include <string>

namespace hotlane::cli {

enum class Language : uint8_t { cpp, c };

struct HeaderOptions {
    Language language = Language::cpp;
    std::string name_space;            // of the C++ names; empty: none
    std::vector<std::string> sources;  // names of the files that it is made from, for the first line
};

/// Returns "polygon_adapter_pools.hpp".
std::string header_file_name(const Plan& plan, Language language);

/// The same plan and options give the same text.
std::string header_text(const Plan& plan, const HeaderOptions& options);

std::string cpp_header(const Plan& plan, const HeaderOptions& options);
std::string c_header(const Plan& plan, const HeaderOptions& options);

/// Returns the first lines, without the marks of a comment: what the file is made from, and what it has.
std::vector<std::string> introduction(const Plan& plan, const HeaderOptions& options);

/// Returns "84 bytes, in one of 1,024 buffers of 128".
std::string description(const Plan& plan, const PlannedMessage& message);

/// Returns the rows of the tables of messages and classes, one on each line.
std::string message_rows(const Plan& plan);
std::string class_rows(const Plan& plan);
/// Returns the factor of growth as a number of C.
std::string growth_text(const Service& service);

/// Returns the lines, each with an empty comment in one column, so that no formatter joins them.
std::string separate_lines(const std::vector<std::string>& lines);

}  // namespace hotlane::cli
