// SPDX-License-Identifier: MIT
//
// `hotlane ps` and `hotlane dump`: processes that run, and what they have allocated.
#include "cli/commands/commands.h"
#include "cli/live/attached_profile.h"
#include "cli/live/process_table.h"
#include "cli/live/top_screen.h"
#include "cli/text/text_file.h"
#include "text/writer.h"

#include <memory>

namespace hotlane::cli {

namespace {

int ps(const std::string& directory) {
    const LiveDirectory live{directory};
    std::vector<Unreadable> unreadable;
    const std::vector<Published> processes = live.read_all(&unreadable);
    std::string text = processes.empty() ? "" : table_heading() + "\n";
    for (const Published& process : processes) {
        text += table_row(process, rates_between(nullptr, *process.counters)) + "\n";
    }
    write_file("-", text);
    for (const Unreadable& file : unreadable) {
        message("ps: left out process ", file.name, ": ", file.why);
    }
    if (processes.empty() && unreadable.empty()) {
        message("ps: no process publishes its counters in ", live.path(),
                "; start one with hotlane run --live auto PROGRAM");
    }
    return 0;
}

int dump(const std::string& directory, int64_t process, const std::string& file) {
    const LiveDirectory live{directory};
    const std::string name = file.empty() ? free_dump_name(live.read(process)) : file;
    write_file(name, live.dump(process));
    if (name != "-") {
        message("dump: wrote ", name);
    }
    return 0;
}

/// Runs a command and turns its error into a line.
template <typename Run>
int reporting_errors(const char* command, Run run) {
    try {
        return run();
    } catch (const LiveError& error) {
        message(command, ": ", error.what());
    } catch (const FileError& error) {
        message(command, ": ", error.what());
    }
    return kFailed;
}

}  // namespace

void add_live_option(CLI::App& command, std::string& directory) {
    command
        .add_option("--live", directory,
                    "Directory of the processes; HOTLANE_LIVE, or else the user's run-time directory")
        ->type_name("auto|DIR");
}

void add_ps(CLI::App& app, Invocation& invocation) {
    CLI::App* command = app.add_subcommand("ps", "List the processes that publish their counters");
    auto directory = std::make_shared<std::string>();
    add_live_option(*command, *directory);
    command->footer(
        "A process does so if it was started with HOTLANE_LIVE=auto, or hotlane run --live auto.");
    command->callback([directory, &invocation] {
        invocation.status = reporting_errors("ps", [&] { return ps(*directory); });
    });
}

void add_top(CLI::App& app, Invocation& invocation) {
    struct Options {
        std::string directory;
        int64_t process = 0;
    };
    CLI::App* command = app.add_subcommand("top", "Watch the processes that publish their counters");
    auto options = std::make_shared<Options>();
    add_live_option(*command, options->directory);
    command->add_option("PID", options->process, "Show this process; see hotlane ps")->type_name("");
    command->callback([options, &invocation] {
        invocation.status = reporting_errors("top", [&] {
            show_top(LiveDirectory{options->directory}, options->process);
            return 0;
        });
    });
}

void add_dump(CLI::App& app, Invocation& invocation) {
    struct Options {
        std::string directory;
        std::string file;
        int64_t process = 0;
    };
    CLI::App* command = app.add_subcommand("dump", "Write the profile of a process that runs");
    auto options = std::make_shared<Options>();
    add_live_option(*command, options->directory);
    command->add_option("PID", options->process, "The process; see hotlane ps")->type_name("")->required();
    command->add_option("-o,--output", options->file, "PROGRAM.PID.N.heap by default; -: standard output")
        ->type_name("FILE");
    command->footer("The process must have a profile: see hotlane profile --attach, and HOTLANE_PROFILE.");
    command->callback([options, &invocation] {
        invocation.status = reporting_errors(
            "dump", [&] { return dump(options->directory, options->process, options->file); });
    });
}

}  // namespace hotlane::cli
