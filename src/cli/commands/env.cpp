// SPDX-License-Identifier: MIT
//
// `hotlane env`: prints the table of options.
#include "cli/commands/commands.h"
#include "options/config.h"

#include <unistd.h>

namespace hotlane::cli {

void add_env(CLI::App& app, Invocation& invocation) {
    CLI::App* command =
        app.add_subcommand("env", "Print every option, its value here, its default and its meaning");
    command->callback([&invocation] {
        Config config;
        read_config(config, true);
        Writer out{STDOUT_FILENO};
        print_config(out, config);
        invocation.status = out.flush() ? 0 : kFailed;
    });
}

}  // namespace hotlane::cli
