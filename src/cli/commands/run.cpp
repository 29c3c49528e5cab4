// SPDX-License-Identifier: MIT
//
// `hotlane run`: takes the options of the table as arguments, preloads the library and executes a program.
#include "cli/commands/commands.h"
#include "cli/launch/library.h"
#include "cli/launch/program.h"
#include "options/config.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <unistd.h>
#include <vector>

namespace hotlane::cli {

namespace {

/// Returns the argument for an option: --stats-file for HOTLANE_STATS_FILE.
std::string argument_name(const Option& option) {
    std::string name = "--";
    for (const char* c = option.name; *c != '\0'; ++c) {
        name += *c == '_' ? '-' : static_cast<char>(tolower(*c));
    }
    return name;
}

/// Returns the argument that is most similar to an unknown one such as "--stats-fil".
std::string closest_argument(const std::string& argument) {
    const size_t begin = std::min(argument.size(), argument.find_first_not_of('-'));
    const size_t end = std::min(argument.size(), argument.find('='));
    std::string name;
    for (const char c : argument.substr(begin, end - begin)) {
        name += c == '-' ? '_' : static_cast<char>(toupper(c));
    }
    const Option* renamed = option_formerly_called(name);
    return argument_name(renamed != nullptr ? *renamed : closest_option(name));
}

/// Returns why the value is invalid for the option, or nothing when it is valid.
std::string why_invalid(const Option& option, const std::string& value) {
    Config scratch;
    if (set_option(scratch, option, value)) {
        return {};
    }
    char text[160];
    Writer expected{text, sizeof text};
    print_expected(expected, option);
    return "\"" + value + "\" is not valid, expected " + std::string{text, expected.bytes_written()};
}

using Values = std::map<std::string, std::string>;

/// Adds each row of the table as an argument of `command`. The given values are stored in `values` under the
/// name of their environment variable.
void add_options(CLI::App& command, Values& values) {
    for (const Option& option : options()) {
        const std::string variable = std::string{kOptionPrefix} + option.name;
        auto store = [variable, &values](const std::string& value) { values[variable] = value; };
        CLI::Option* added = nullptr;
        if (option.type == OptionType::flag) {
            added = command.add_flag_function(
                argument_name(option), [store](int64_t on) { store(on > 0 ? "1" : "0"); }, option.help);
        } else {
            added = command.add_option_function<std::string>(argument_name(option), store, option.help);
            added->type_name(option.values);
            added->check([&option](const std::string& value) { return why_invalid(option, value); });
        }
        added->group("Options, as in the environment");
    }
}

/// Executes the program. Returns an exit status only when that failed.
int execute(const std::string& file, std::vector<std::string> arguments) {
    const std::vector<char*> argv = pointers_to(arguments);
    execvp(file.c_str(), argv.data());
    const int error = errno;
    message("cannot run ", file, ": ", strerror(error));
    return error == ENOENT ? kNotFound : kCannotRun;
}

int run(const Values& values, std::vector<std::string> arguments) {
    if (!arguments.empty() && arguments.front().starts_with("-")) {
        message("run: ", arguments.front(), " is not an option; the closest is ",
                closest_argument(arguments.front()));
        return kFailed;
    }
    if (arguments.empty()) {
        message("run: missing PROGRAM: hotlane run [OPTIONS] -- PROGRAM [ARGS]");
        return kFailed;
    }
    try {
        const std::string file = find_program(arguments.front());
        check_preloadable(file);
        const std::string list = preload_list(find_library(), getenv("LD_PRELOAD"));
        setenv("LD_PRELOAD", list.c_str(), 1);
        for (const auto& [variable, value] : values) {
            setenv(variable.c_str(), value.c_str(), 1);
        }
        return execute(file, std::move(arguments));
    } catch (const ProgramError& error) {
        message(error.what());
        return error.status();
    }
}

}  // namespace

void add_run(CLI::App& app, Invocation& invocation) {
    CLI::App* command =
        app.add_subcommand("run", "Run a program with hotlane and print its counters at exit");
    command->prefix_command();
    command->footer(
        "PROGRAM and its ARGS follow the options: hotlane run [OPTIONS] [--] PROGRAM [ARGS]\n"
        "The exit status is the program's own; 125: hotlane failed, 126: the program cannot be run on it,\n"
        "127: not found.");
    auto values = std::make_shared<Values>();
    add_options(*command, *values);
    command->callback([command, values, &invocation] {
        invocation.status = run(*values, program_arguments(*command, invocation));
    });
}

}  // namespace hotlane::cli
