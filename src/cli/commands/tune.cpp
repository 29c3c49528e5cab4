// SPDX-License-Identifier: MIT
//
// `hotlane tune`: computes size classes, limits of caches and warm-ups from a run of a program, and runs the
// program again with them.
#include "cli/commands/commands.h"
#include "cli/launch/library.h"
#include "cli/launch/profiled_run.h"
#include "cli/launch/program.h"
#include "cli/text/quantity.h"
#include "cli/text/text_file.h"
#include "cli/tune/inputs.h"
#include "cli/tune/plan.h"
#include "options/config.h"
#include "text/units.h"
#include "text/writer.h"

#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <sys/wait.h>

namespace hotlane::cli {

namespace {

namespace fs = std::filesystem;

struct TuneOptions {
    std::string output = "-";
    std::string sample = "16K";
    std::vector<std::string> files;
    TuneGoals goals;
    bool once = false;
};

/// A directory for what the runs write.
class ScratchDirectory {
  public:
    ScratchDirectory() {
        std::string name = (fs::temp_directory_path() / "hotlane-tune-XXXXXX").string();
        if (mkdtemp(name.data()) == nullptr) {
            throw ProgramError{"tune: cannot create a directory: " + name + ": " + strerror(errno), kFailed};
        }
        path_ = name;
    }
    ~ScratchDirectory() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    ScratchDirectory(const ScratchDirectory&) = delete;
    ScratchDirectory& operator=(const ScratchDirectory&) = delete;
    const fs::path& path() const { return path_; }

  private:
    fs::path path_;
};

std::string end_text(const ProgramEnd& end) {
    if (WIFSIGNALED(end.status)) {
        return "was ended by signal " + signal_name(end);
    }
    return "exited with status " + std::to_string(WEXITSTATUS(end.status));
}

/// One run of the program. `config` is the file with its options; empty: the defaults. `sample` is the mean
/// distance between samples; empty: the profiler is off, so that its memory is not measured.
TuneInputs run_and_read(const std::vector<std::string>& arguments, const std::string& sample,
                        const std::string& config) {
    const ScratchDirectory scratch;
    for (const Option& option : options()) {
        unsetenv((std::string{kOptionPrefix} + option.name).c_str());  // they would change what is measured
    }
    if (!sample.empty()) {
        setenv("HOTLANE_PROFILE", (scratch.path() / "%p.%n.heap").c_str(), 1);
        setenv("HOTLANE_SAMPLE_INTERVAL", sample.c_str(), 1);
    }
    setenv("HOTLANE_STATS", "json", 1);
    setenv("HOTLANE_STATS_FILE", (scratch.path() / "%p.json").c_str(), 1);
    setenv("HOTLANE_HIT_RATE_WARNING", "0", 1);
    if (!config.empty()) {
        setenv("HOTLANE_CONFIG", config.c_str(), 1);
    }
    const ProgramEnd end = run_to_end(arguments.front(), arguments);
    std::vector<std::string> files;
    for (const auto& entry : fs::directory_iterator{scratch.path()}) {
        files.push_back(entry.path());
    }
    if (files.empty()) {
        throw ProgramError{"tune: the program wrote no report; it " + end_text(end), kFailed};
    }
    if (end.status != 0) {
        message("tune: note: the program ", end_text(end));
    }
    return read_tune_inputs(files, !sample.empty());
}

/// A row of the table: what it is, before, predicted, measured.
void say_row(std::string_view name, const std::string& before, const std::string& predicted,
             const std::string& measured) {
    char line[128];
    Writer out{line, sizeof line};
    out.text("tune: ").left(name, 18).right(before, 12).right(predicted, 12).right(measured, 12);
    message({line, out.bytes_written()});
}

std::string miss_rate(const std::optional<RunFigures>& figures) {
    return figures
               ? share_text(static_cast<int64_t>(figures->misses), static_cast<int64_t>(figures->allocations))
               : "-";
}

std::string bytes_text(double bytes) { return size_text(rounded_bytes(bytes)); }
std::string percent_text(double part, double whole) {
    return share_text(rounded_bytes(part), rounded_bytes(whole));
}

/// `before` and `after` have the demand of runs with the profiler, and the figures of runs without it.
void say_result(const Plan& plan, const TuneInputs& before, const TuneInputs* after) {
    say_row("", "before", "predicted", after != nullptr ? "measured" : "");
    const double live_after = after != nullptr ? live_bytes(after->demand) : 0;
    const double lost_after = after != nullptr ? rounding_bytes(after->demand, plan.classes) : 0;
    say_row("live at the peak", bytes_text(plan.live_bytes), "",
            after != nullptr ? bytes_text(live_after) : "");
    say_row("lost to rounding", bytes_text(plan.rounding_before), bytes_text(plan.rounding_after),
            after != nullptr ? bytes_text(lost_after) : "");
    say_row("  of what is live", percent_text(plan.rounding_before, plan.live_bytes),
            percent_text(plan.rounding_after, plan.live_bytes),
            after != nullptr ? percent_text(lost_after, live_after) : "");
    if (before.figures) {
        const auto rss = static_cast<double>(before.figures->peak_rss);
        const bool has_rss = after != nullptr && after->figures;
        say_row("peak RSS", bytes_text(rss), bytes_text(rss - plan.saved),
                has_rss ? size_text(static_cast<int64_t>(after->figures->peak_rss)) : "");
        say_row("miss rate", miss_rate(before.figures), "",
                after != nullptr ? miss_rate(after->figures) : "");
    }
}

void write_options(const Plan& plan, const TuneInputs& inputs, const std::string& output) {
    write_file(output, options_file(plan, inputs.program, inputs.figures.has_value()));
    if (output != "-") {
        message("tune: wrote ", output, "; to use it: HOTLANE_CONFIG=", output);
    }
}

int tune_files(const TuneOptions& options) {
    const TuneInputs inputs = read_tune_inputs(options.files, true);
    const Plan plan = make_plan(inputs.demand, inputs.figures, options.goals);
    write_options(plan, inputs, options.output);
    say_result(plan, inputs, nullptr);
    return 0;
}

int tune_program(const TuneOptions& options, std::vector<std::string> arguments) {
    arguments.front() = find_program(arguments.front());
    check_preloadable(arguments.front());
    setenv("LD_PRELOAD", preload_list(find_library(), getenv("LD_PRELOAD")).c_str(), 1);
    if (!options.once) {
        message("tune: the program runs four times: with the default and the computed options, each with and "
                "without the profiler");
    }
    TuneInputs before = run_and_read(arguments, options.sample, {});
    if (!options.once) {
        // The profiler serves what it samples from other memory, which hides a part of what the caches do.
        before.figures = run_and_read(arguments, {}, {}).figures;
    }
    const Plan plan = make_plan(before.demand, before.figures, options.goals);
    write_options(plan, before, options.output);
    if (options.once) {
        say_result(plan, before, nullptr);
        return 0;
    }
    const ScratchDirectory scratch;
    const std::string config = scratch.path() / "options.conf";
    write_file(config, options_file(plan, before.program, before.figures.has_value()));
    TuneInputs after = run_and_read(arguments, options.sample, config);
    after.figures = run_and_read(arguments, {}, config).figures;
    say_result(plan, before, &after);
    return 0;
}

int tune(const TuneOptions& options, const std::vector<std::string>& arguments) {
    if (arguments.empty() == options.files.empty()) {
        message("tune: expected either files, or a program: hotlane tune [OPTIONS] (FILE... | -- PROGRAM "
                "[ARGS])");
        return kFailed;
    }
    try {
        return arguments.empty() ? tune_files(options) : tune_program(options, arguments);
    } catch (const ProgramError& error) {
        message(error.what());
        return error.status();
    } catch (const FileError& error) {
        message(error.what());
        return kBadFile;
    }
}

std::string not_a_sample(const std::string& text) {
    uint64_t bytes = 0;
    return parse_size(text, bytes) && bytes > 0 ? "" : "\"" + text + "\" is not a size above 0, such as 64K";
}

}  // namespace

void add_tune(CLI::App& app, Invocation& invocation) {
    CLI::App* command =
        app.add_subcommand("tune", "Compute size classes and caches for a program from a run of it");
    auto options = std::make_shared<TuneOptions>();
    command->add_option("-o,--output", options->output, "The file of options; standard output by default")
        ->type_name("FILE");
    command->add_option("--classes", options->goals.classes, "Most size classes, 40 by default")
        ->type_name("11-63")
        ->check(CLI::Range(kFewestClasses, kMostClasses));
    command->add_option("--align", options->goals.alignment, "Alignment of objects; chosen by default")
        ->type_name("16|64")
        ->check(CLI::IsMember({16, 64}));
    command->add_option("--sample", options->sample, "Mean bytes between samples, 16K by default; 1: exact")
        ->type_name("BYTES")
        ->check(not_a_sample);
    command->add_flag("--once", options->once, "Do not run the program again with the computed options");
    command->add_option("FILES", options->files, "Profiles with sizes, and reports in JSON, of earlier runs");
    command->footer(
        "Either give files: hotlane tune [OPTIONS] profile.heap [stats.json]\n"
        "or a program:      hotlane tune [OPTIONS] -- PROGRAM [ARGS]\n"
        "HOTLANE_CONFIG=FILE uses the result. The exit status is 2 for an unreadable file, 125 when hotlane\n"
        "failed, 126 when the program cannot be run on it, 127 when it is not found.");
    command->callback([options, &invocation] {
        invocation.status = tune(*options, invocation.after_dashes.value_or(std::vector<std::string>{}));
    });
}

}  // namespace hotlane::cli
