// SPDX-License-Identifier: MIT
//
// `hotlane profile`: runs a program with the profiler enabled, and reports which files were written.
#include "cli/analysis/profile_files.h"
#include "cli/analysis/site_table.h"
#include "cli/commands/attach.h"
#include "cli/commands/commands.h"
#include "cli/launch/library.h"
#include "cli/launch/profiled_run.h"
#include "cli/launch/program.h"
#include "cli/profile/last_dumps.h"
#include "cli/profile/reader.h"
#include "cli/text/text_file.h"
#include "text/units.h"
#include "text/writer.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>
#include <sys/wait.h>
#include <unistd.h>

namespace hotlane::cli {

namespace {

struct ProfileOptions {
    std::map<std::string, std::string> variables;  // for the library, by name
    std::string file;
    bool report = false;
    bool all = false;
    AttachOptions attach;
};

/// Adds an option that sets an environment variable of the library. `valid` checks the value; `expected`
/// describes a valid one.
void add_variable(CLI::App& command, const char* option, const char* variable, const char* type,
                  ProfileOptions& options, bool (*valid)(std::string_view), const char* expected,
                  const char* help) {
    const auto set = [=, &options](const std::string& value) {
        if (!valid(value)) {
            throw CLI::ValidationError{option, "\"" + value + "\" is not " + expected};
        }
        options.variables[variable] = value;
    };
    command.add_option_function<std::string>(option, set, help)->type_name(type);
}

bool is_sample(std::string_view text) {
    uint64_t bytes = 0;
    return parse_size(text, bytes) && bytes > 0;
}

bool is_interval(std::string_view text) {
    uint64_t ns = 0;
    return parse_duration(text, ns);
}

bool is_unwinder(std::string_view text) { return text == "libunwind" || text == "fp"; }

/// The last dumps of a program and of the processes that it started, that with the most samples first.
struct Tree {
    std::vector<std::string> files;
    std::string program;  // of the first file
};

Tree tree_of(const std::vector<std::string>& files) {
    std::vector<ProfileOrigin> origins;
    origins.reserve(files.size());
    for (const std::string& file : files) {
        origins.push_back(read_dump(file).origin);
    }
    std::vector<const ProfileOrigin*> pointers;
    pointers.reserve(origins.size());
    for (const ProfileOrigin& origin : origins) {
        pointers.push_back(&origin);
    }
    std::vector<size_t> last = last_of_each_process(pointers);
    std::stable_sort(last.begin(), last.end(),
                     [&](size_t a, size_t b) { return origins[a].samples > origins[b].samples; });
    Tree tree;
    for (const size_t index : last) {
        tree.files.push_back(files[index]);
    }
    if (!last.empty()) {
        const std::string& program = origins[last.front()].program;
        tree.program = program.substr(program.rfind('/') + 1);
    }
    return tree;
}

/// Names every dump, or only the one with the most samples if there are many.
void name_dumps(const std::vector<std::string>& files, bool all) {
    constexpr size_t kMostNamed = 4;
    if (all || files.size() <= kMostNamed) {
        for (const std::string& file : files) {
            message("profile: wrote ", file);
        }
        return;
    }
    const Tree tree = tree_of(files);
    message(
        "profile: wrote ", std::to_string(files.size()) + " dumps of " + std::to_string(tree.files.size()),
        " processes; most samples are in ", tree.files.front() + " of " + tree.program, " (--all names all)");
}

void say_what_was_written(const std::vector<std::string>& files, const ProgramEnd& end, bool all) {
    try {
        name_dumps(files, all);
    } catch (const FileError&) {
        name_dumps(files, true);  // one cannot be read
    }
    if (!files.empty()) {
        return;
    }
    if (WIFSIGNALED(end.status)) {
        message("profile: no dump was written: the program was ended by signal ", signal_name(end));
    } else {
        message(
            "profile: no dump was written: the program ended with _exit, executed another program, or the "
            "dump failed");
    }
}

/// Checks the directory before the program runs, perhaps for hours. A device needs no writable directory.
void check_directory_of(const std::string& pattern) {
    const std::filesystem::path directory = std::filesystem::path{pattern}.parent_path();
    std::error_code error;
    const auto status = std::filesystem::status(pattern, error);
    const bool is_device = std::filesystem::is_character_file(status);
    if (!is_device && access(directory.c_str(), W_OK | X_OK) != 0) {
        throw ProgramError{"profile: cannot write dumps to " + directory.string() + ": " + strerror(errno),
                           kFailed};
    }
}

/// Prints the sum of all processes. The heading is that of the process with the most samples.
void print_report(const std::vector<std::string>& files) {
    try {
        if (!files.empty()) {
            TableView view;
            view.width = screen_width();
            write_file("-", site_table(load_profile(tree_of(files).files), view));
        }
    } catch (const FileError& error) {
        message(error.what());
    }
}

/// CPython keeps small objects in blocks of its own, so the profile shows only these blocks.
void say_what_python_hides(const std::filesystem::path& program) {
    if (program.filename().string().starts_with("python") && getenv("PYTHONMALLOC") == nullptr) {
        message("profile: Python keeps small objects in blocks of its own, which hide them; "
                "PYTHONMALLOC=malloc shows each, and PYTHONPERFSUPPORT=1 (from 3.12) names Python functions");
    }
}

/// The options that a process which runs already can still be given.
int profile_attached(const ProfileOptions& options, const std::vector<std::string>& arguments) {
    if (!arguments.empty()) {
        message("profile: --attach takes no PROGRAM");
        return kFailed;
    }
    AttachOptions attach = options.attach;
    attach.file = options.file;
    attach.report = options.report;
    for (const auto& [variable, value] : options.variables) {
        if (variable != "HOTLANE_SAMPLE_INTERVAL" || !parse_size(value, attach.sample_bytes)) {
            message("profile: --interval and --unwind need a PROGRAM");
            return kFailed;
        }
    }
    return profile_running(attach);
}

int profile(const ProfileOptions& options, const std::vector<std::string>& arguments) {
    if (options.attach.process != 0) {
        return profile_attached(options, arguments);
    }
    if (!arguments.empty() && arguments.front().starts_with("-")) {
        message("profile: ", arguments.front(), " is not an option (see hotlane profile --help)");
        return kFailed;
    }
    if (arguments.empty()) {
        message("profile: missing PROGRAM: hotlane profile [OPTIONS] -- PROGRAM [ARGS]");
        return kFailed;
    }
    try {
        const std::string program = find_program(arguments.front());
        check_preloadable(program);
        const std::filesystem::path name = std::filesystem::path{program}.filename();
        const std::string pattern =
            std::filesystem::absolute(options.file.empty() ? name.string() + ".%p.%n.heap" : options.file);
        check_directory_of(pattern);
        setenv("LD_PRELOAD", preload_list(find_library(), getenv("LD_PRELOAD")).c_str(), 1);
        setenv("HOTLANE_PROFILE", pattern.c_str(), 1);
        setenv("HOTLANE_STATS", "off", 0);
        for (const auto& [variable, value] : options.variables) {
            setenv(variable.c_str(), value.c_str(), 1);
        }
        say_what_python_hides(program);
        const DumpFiles dumps{pattern};
        const ProgramEnd end = run_to_end(program, arguments, Daemons::followed);
        const std::vector<std::string> files = dumps.written();
        say_what_was_written(files, end, options.all);
        if (options.report) {
            print_report(files);
        }
        return end_like(end);
    } catch (const ProgramError& error) {
        message(error.what());
        return error.status();
    }
}

}  // namespace

void add_profile(CLI::App& app, Invocation& invocation) {
    CLI::App* command =
        app.add_subcommand("profile", "Run a program and record which functions allocate memory");
    command->prefix_command();
    auto options = std::make_shared<ProfileOptions>();
    add_variable(*command, "--sample", "HOTLANE_SAMPLE_INTERVAL", "BYTES", *options, is_sample,
                 "a size above 0, such as 512K", "Mean bytes between samples, 512K by default");
    command->add_flag_callback(
        "--every-allocation", [options] { options->variables["HOTLANE_SAMPLE_INTERVAL"] = "1"; },
        "Record every allocation, for exact numbers");
    add_variable(*command, "--interval", "HOTLANE_PROFILE_INTERVAL", "TIME", *options, is_interval,
                 "a time, such as 10s", "Also write a dump at this interval, such as 10s");
    add_variable(*command, "--unwind", "HOTLANE_UNWIND", "libunwind|fp", *options, is_unwinder,
                 "one of libunwind|fp", "How to walk stacks; fp: by frame pointers");
    command
        ->add_option("-o,--output", options->file,
                     "Dumps; %p: process, %n: number. PROGRAM.%p.%n.heap by default")
        ->type_name("FILE");
    add_attach_options(*command, options->attach);
    command->add_flag("--report", options->report, "Show the top sites of all processes at the end");
    command->add_flag("--all", options->all, "Name every dump, also if there are many");
    command->footer(
        "PROGRAM and its ARGS follow the options: hotlane profile [OPTIONS] [--] PROGRAM [ARGS]\n"
        "The exit status is the program's own; 125: hotlane failed, 126: the program cannot be run on it,\n"
        "127: not found. See `hotlane report` for what can be done with the dumps.");
    command->callback([command, options, &invocation] {
        invocation.status = profile(*options, program_arguments(*command, invocation));
    });
}

}  // namespace hotlane::cli
