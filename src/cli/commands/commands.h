// SPDX-License-Identifier: MIT
//
// The subcommands: each adds itself to the parser and leaves its exit status behind.
// Knows nothing of what a subcommand does.
// Used by main; a new subcommand is a file, a line here and a line in main's list.
#pragma once

#include "cli/launch/exit_status.h"

#include <CLI/CLI.hpp>

#include <optional>
#include <string>
#include <vector>

namespace hotlane::cli {

/// What the subcommand that was chosen has to know, and its exit status.
struct Invocation {
    /// The arguments after the first "--", which the parser never sees.
    std::optional<std::vector<std::string>> after_dashes;
    int status = 0;
};

/// The program and its arguments at the end of a command line: what the parser left, and what followed "--".
inline std::vector<std::string> program_arguments(const CLI::App& command, const Invocation& invocation) {
    std::vector<std::string> arguments = command.remaining();
    if (invocation.after_dashes) {
        if (!arguments.empty()) {
            arguments.emplace_back("--");  // the program's own
        }
        arguments.insert(arguments.end(), invocation.after_dashes->begin(), invocation.after_dashes->end());
    }
    return arguments;
}

/// Runs a program with the library preloaded: `hotlane run [OPTIONS] [--] PROGRAM [ARGS]`.
void add_run(CLI::App& app, Invocation& invocation);
/// Prints the options with their values as a program started from here would see them: `hotlane env`.
void add_env(CLI::App& app, Invocation& invocation);
/// Measures the library under a load of buffers: `hotlane bench load [OPTIONS]`.
void add_bench(CLI::App& app, Invocation& invocation);
/// Runs a program with the profiler on: `hotlane profile [OPTIONS] [--] PROGRAM [ARGS]`.
void add_profile(CLI::App& app, Invocation& invocation);
/// Shows what dumps of a profile say: `hotlane report FILE...`.
void add_report(CLI::App& app, Invocation& invocation);

}  // namespace hotlane::cli
