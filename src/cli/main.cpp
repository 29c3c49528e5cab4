// SPDX-License-Identifier: MIT
//
// The `hotlane` command: parses the command line and runs a subcommand.
#include "cli/commands/commands.h"
#include "text/writer.h"

#include <algorithm>
#include <exception>
#include <string>
#include <vector>

namespace {

using hotlane::cli::Invocation;
using hotlane::cli::kFailed;

/// Removes the first "--" and what follows it from the arguments.
Invocation split_at_dashes(std::vector<std::string>& arguments) {
    Invocation invocation;
    const auto dashes = std::find(arguments.begin(), arguments.end(), "--");
    if (dashes != arguments.end()) {
        invocation.after_dashes.emplace(dashes + 1, arguments.end());
        arguments.erase(dashes, arguments.end());
    }
    return invocation;
}

int usage_error(std::string_view what) {
    hotlane::message(what, " (see hotlane --help)");
    return kFailed;
}

int run_command(std::vector<std::string> arguments) {
    Invocation invocation = split_at_dashes(arguments);
    CLI::App app{"A drop-in malloc with exact counters. Runs programs with it and shows what it does.",
                 "hotlane"};
    app.set_version_flag("--version", "hotlane " HOTLANE_VERSION, "Print the version and exit");
    app.get_formatter()->column_width(32);
    app.set_help_flag("--help,-h", "Print this help and exit");
    for (const auto add :
         {hotlane::cli::add_run, hotlane::cli::add_env, hotlane::cli::add_bench, hotlane::cli::add_profile,
          hotlane::cli::add_report, hotlane::cli::add_pools, hotlane::cli::add_tune}) {
        add(app, invocation);
    }
    app.footer("See hotlane(1), or `hotlane COMMAND --help`.");
    try {
        std::reverse(arguments.begin(), arguments.end());  // the parser expects them in reverse order
        app.parse(std::move(arguments));
    } catch (const CLI::Success& asked) {  // --help or --version
        return app.exit(asked);
    } catch (const CLI::ParseError& error) {
        return usage_error(error.what());
    }
    return app.get_subcommands().empty() ? usage_error("missing COMMAND") : invocation.status;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run_command({argv + 1, argv + argc});
    } catch (const std::exception& error) {
        hotlane::message(error.what());
        return kFailed;
    }
}
