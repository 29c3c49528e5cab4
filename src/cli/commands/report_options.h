// SPDX-License-Identifier: MIT
//
// The options of `hotlane report`.
#pragma once

#include "cli/analysis/call_tree.h"
#include "cli/analysis/frame_filter.h"
#include "cli/analysis/site_table.h"
#include "cli/commands/commands.h"
#include "cli/symbols/symbol_places.h"

#include <optional>
#include <string>
#include <vector>

namespace hotlane::cli {

enum class Bytes { requested, size_class };

/// A format that a profile can be written in.
struct Export {
    const char* option;
    const char* help;
    std::string (*text)(const Profile& profile, Order order);
};

struct ReportOptions {
    std::vector<std::string> files;
    std::vector<std::string> base;
    SymbolPlaces places;
    TableView view;
    std::optional<Bytes> bytes;  // as requested for leaks, else of classes
    std::optional<FrameFilter> focus;
    std::optional<FrameFilter> ignore;
    std::optional<FrameFilter> callers;
    std::optional<FrameFilter> callees;
    bool skips_wrappers = true;
    std::vector<FrameFilter> wrappers;
    bool leaks = false;
    uint64_t leak_threshold = 0;
    std::string suppressions;  // name of the file
    std::vector<std::pair<const Export*, std::string>> exports;
    bool opens_page = false;
};

/// Adds all options to the command, and stores what is given in `options`, which outlives the command.
void add_report_options(CLI::App& command, ReportOptions& options);

}  // namespace hotlane::cli
