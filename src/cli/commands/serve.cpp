// SPDX-License-Identifier: MIT
//
// `hotlane serve`: executes the program that serves counters and profiles over HTTP.
#include "cli/commands/commands.h"
#include "cli/launch/program.h"
#include "text/writer.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <unistd.h>

namespace hotlane::cli {

namespace {

namespace fs = std::filesystem;

struct ServeCommand {
    std::vector<std::string> directories;
    std::string address = "127.0.0.1";
    int port = 9464;
    bool metrics_only = false;
};

/// The server's program is beside the command in a build tree, and in a directory of its own when installed.
int serve(const ServeCommand& options) {
    const fs::path here = fs::read_symlink("/proc/self/exe").parent_path();
    std::vector<std::string> arguments{"hotlane-serve", options.address, std::to_string(options.port),
                                       options.metrics_only ? "1" : "0"};
    arguments.insert(arguments.end(), options.directories.begin(), options.directories.end());
    if (options.directories.empty()) {
        arguments.emplace_back();  // HOTLANE_LIVE, or else "auto"
    }
    const std::vector<char*> pointers = pointers_to(arguments);
    for (const char* place : {"hotlane-serve", "../" HOTLANE_LIBEXECDIR "/hotlane/hotlane-serve"}) {
        execv((here / place).c_str(), pointers.data());
    }
    message("serve: cannot run hotlane-serve: ", strerror(errno),
            "; install the package hotlane-serve, or build with cpp-httplib (Debian: libcpp-httplib-dev)");
    return kFailed;
}

}  // namespace

void add_serve(CLI::App& app, Invocation& invocation) {
    CLI::App* command =
        app.add_subcommand("serve", "Serve counters and profiles of running processes over HTTP");
    auto options = std::make_shared<ServeCommand>();
    command
        ->add_option("--live", options->directories,
                     "Directory of the processes; HOTLANE_LIVE, or else auto. Can be repeated")
        ->type_name("auto|DIR")
        ->allow_extra_args(false);
    command->add_option("--listen", options->address, "Address to listen on; 127.0.0.1 by default")
        ->type_name("ADDRESS");
    command->add_option("--port", options->port, "Port to listen on; 9464 by default, 0: any free one")
        ->type_name("N")
        ->check(CLI::Range(0, 65535));
    command->add_flag("--metrics-only", options->metrics_only, "Serve no profiles");
    command->footer(
        "/metrics: Prometheus or OpenMetrics text; /debug/pprof/heap?pid=N, "
        "/debug/pprof/allocs?pid=N&seconds=N:\n"
        "for pprof; /profile/N: a page. Whoever reaches the port may read them and start profiles.");
    command->callback([options, &invocation] { invocation.status = serve(*options); });
}

}  // namespace hotlane::cli
