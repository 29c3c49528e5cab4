// SPDX-License-Identifier: MIT
//
// The subcommands. Each adds itself to the command line parser and stores its exit status.
#pragma once

#include "cli/launch/exit_status.h"

#include <CLI/CLI.hpp>

#include <optional>
#include <string>
#include <vector>

namespace hotlane::cli {

/// What the chosen subcommand needs besides its options, and its exit status.
struct Invocation {
    /// The arguments after the first "--", which are hidden from the parser.
    std::optional<std::vector<std::string>> after_dashes;
    int status = 0;
};

/// Returns the program and its arguments: what the parser did not recognise, and what followed "--".
inline std::vector<std::string> program_arguments(const CLI::App& command, const Invocation& invocation) {
    std::vector<std::string> arguments = command.remaining();
    if (invocation.after_dashes) {
        if (!arguments.empty()) {
            arguments.emplace_back("--");  // this one belongs to the program
        }
        arguments.insert(arguments.end(), invocation.after_dashes->begin(), invocation.after_dashes->end());
    }
    return arguments;
}

/// `hotlane run [OPTIONS] [--] PROGRAM [ARGS]`: runs a program with the library preloaded.
void add_run(CLI::App& app, Invocation& invocation);
/// `hotlane env`: prints the options with the values that a program started from here would get.
void add_env(CLI::App& app, Invocation& invocation);
/// `hotlane bench load [OPTIONS]`: measures the library under a load of buffers.
void add_bench(CLI::App& app, Invocation& invocation);
/// `hotlane profile [OPTIONS] [--] PROGRAM [ARGS]`: runs a program with the profiler enabled.
void add_profile(CLI::App& app, Invocation& invocation);
/// `hotlane ps`: lists the processes that publish their counters.
void add_ps(CLI::App& app, Invocation& invocation);
/// `hotlane top [PID]`: a full-screen view of them.
void add_top(CLI::App& app, Invocation& invocation);
/// `hotlane serve`: serves counters and profiles over HTTP.
void add_serve(CLI::App& app, Invocation& invocation);
/// `hotlane dump PID`: writes the profile of a process that runs.
void add_dump(CLI::App& app, Invocation& invocation);
/// The option --live of the commands that look at such processes.
void add_live_option(CLI::App& command, std::string& directory);
/// `hotlane report FILE...`: shows the content of profile dumps.
void add_report(CLI::App& app, Invocation& invocation);
/// `hotlane pools generate|show|check CONTRACT --config FILE`: generates pools from the contracts of messages.
void add_pools(CLI::App& app, Invocation& invocation);
/// `hotlane tune [OPTIONS] (FILE... | -- PROGRAM [ARGS])`: computes options from a run.
void add_tune(CLI::App& app, Invocation& invocation);

}  // namespace hotlane::cli
