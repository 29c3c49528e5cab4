// SPDX-License-Identifier: MIT
//
// `hotlane report`: shows dumps as a table or as a list of leaks, or exports them to other tools.
#include "cli/analysis/frame_filter.h"
#include "cli/analysis/leaks.h"
#include "cli/analysis/profile_files.h"
#include "cli/analysis/site_table.h"
#include "cli/commands/commands.h"
#include "cli/export/html.h"
#include "cli/export/json.h"
#include "cli/export/pprof.h"
#include "cli/export/stacks.h"
#include "cli/text/text_file.h"
#include "text/units.h"
#include "text/writer.h"

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

namespace hotlane::cli {

namespace {

constexpr int kLeaksFound = 3;

struct Export {
    const char* option;
    const char* help;
    std::string (*text)(const Profile& profile, Order order);
};

constexpr Export kExports[] = {
    {"--pprof", "For pprof: profile.proto, gzipped, with symbols",
     [](const Profile& profile, Order /*order*/) { return export_pprof(profile); }},
    {"--folded", "Folded stacks for flame graphs, of the column of --sort", export_folded},
    {"--speedscope", "For speedscope", export_speedscope},
    {"--json", "The whole profile as JSON",
     [](const Profile& profile, Order /*order*/) { return to_json(profile).dump(1) + "\n"; }},
    {"--html", "A single HTML page that needs no network",
     [](const Profile& profile, Order /*order*/) { return render_html(to_json(profile)); }},
};

struct ReportOptions {
    std::vector<std::string> files;
    std::vector<std::string> base;
    TableView view;
    std::optional<FrameFilter> focus;
    std::optional<FrameFilter> ignore;
    bool leaks = false;
    uint64_t leak_threshold = 0;
    std::string suppressions;  // name of the file
    std::vector<std::pair<const Export*, std::string>> exports;
};

/// Prints the leaks unless `quiet`. Returns the exit status.
int show_leaks(const ReportOptions& options, const Profile& profile, bool quiet) {
    const Suppressions suppressions =
        options.suppressions.empty() ? Suppressions{} : Suppressions::read(options.suppressions);
    const Leaks leaks = find_leaks(profile, suppressions, options.view.most_rows);
    if (!quiet) {
        write_file("-", leaks.text);
    }
    return leaks.live.bytes > 0 && static_cast<uint64_t>(leaks.live.bytes) > options.leak_threshold
               ? kLeaksFound
               : 0;
}

int report(const ReportOptions& options) {
    Profile profile = load_profile(options.files, options.base);
    profile.keep([&](const Profile::Stack& stack) {
        return (!options.focus || options.focus->matches(profile, stack)) &&
               !(options.ignore && options.ignore->matches(profile, stack));
    });
    if (options.view.order == Order::peak && !profile.origin.has_peak) {
        throw FileError{
            "report: --sort=peak: not every dump has a peak; dumps of earlier versions and of other "
            "allocators have none"};
    }
    const Order order = options.view.order.value_or(default_order(profile));
    for (const auto& [format, file] : options.exports) {
        write_file(file, format->text(profile, order));
    }
    const bool quiet = !options.exports.empty();
    if (options.leaks) {
        return show_leaks(options, profile, quiet);
    }
    if (!quiet) {
        write_file("-", site_table(profile, options.view));
    }
    return 0;
}

/// An option whose value is one of the names "a|b|c", in the order of the enumerators of `Value`. `value` is
/// of that type, or optional.
template <typename Value, typename Stored>
void add_choice(CLI::App& command, const char* option, Stored& value, const char* names, const char* help) {
    const auto set = [option, names, &value](const std::string& chosen) {
        std::istringstream all{names};
        std::string name;
        for (int number = 0; std::getline(all, name, '|'); ++number) {
            if (name == chosen) {
                value = static_cast<Value>(number);
                return;
            }
        }
        throw CLI::ValidationError{option, "\"" + chosen + "\" is not one of " + names};
    };
    command.add_option_function<std::string>(option, set, help)->type_name(names);
}

void add_top(CLI::App& command, size_t& most_rows) {
    const auto set = [&most_rows](const std::string& text) {
        uint64_t count = 0;
        if (!parse_count(text, count) || count == 0) {
            throw CLI::ValidationError{"--top", "\"" + text + "\" is not a positive number"};
        }
        most_rows = count;
    };
    command
        .add_option_function<std::string>("--top", set, "Number of rows (stacks with --leaks); 20 by default")
        ->type_name("N");
}

void add_filter(CLI::App& command, const char* name, std::optional<FrameFilter>& filter, const char* help) {
    command
        .add_option_function<std::string>(
            name,
            [name, &filter](const std::string& expression) {
                try {
                    filter.emplace(expression);
                } catch (const std::runtime_error& error) {
                    throw CLI::ValidationError{name, error.what()};
                }
            },
            help)
        ->type_name("REGEX");
}

void add_leak_options(CLI::App& command, ReportOptions& options) {
    command.add_flag("--leaks", options.leaks, "List live objects by stack; exit status 3 if there are any");
    command
        .add_option_function<std::string>(
            "--leak-threshold",
            [&options](const std::string& text) {
                if (!parse_size(text, options.leak_threshold)) {
                    throw CLI::ValidationError{"--leak-threshold",
                                               "\"" + text + "\" is not a size, such as 64K"};
                }
            },
            "Live bytes that do not cause exit status 3")
        ->type_name("BYTES");
    command
        .add_option("--suppressions", options.suppressions,
                    "File of lines leak:PATTERN, in LeakSanitizer's format")
        ->type_name("FILE");
}

void add_exports(CLI::App& command, ReportOptions& options) {
    for (const Export& format : kExports) {
        command
            .add_option_function<std::string>(
                format.option,
                [&format, &options](const std::string& file) { options.exports.emplace_back(&format, file); },
                format.help)
            ->type_name("FILE")
            ->group("Exports, instead of the table; - is standard output");
    }
}

int run_report(ReportOptions& options, const Invocation& invocation) {
    if (invocation.after_dashes) {
        options.files.insert(options.files.end(), invocation.after_dashes->begin(),
                             invocation.after_dashes->end());
    }
    if (options.files.empty()) {
        message("report: missing FILE: hotlane report [OPTIONS] FILE...");
        return kFailed;
    }
    const auto to_output = [](const auto& one) { return one.second == "-"; };
    if (std::count_if(options.exports.begin(), options.exports.end(), to_output) > 1) {
        message("report: only one export can go to standard output");
        return kFailed;
    }
    options.view.width = screen_width();
    try {
        return report(options);
    } catch (const FileError& error) {
        message(error.what());
        return kBadFile;
    }
}

}  // namespace

void add_report(CLI::App& app, Invocation& invocation) {
    CLI::App* command =
        app.add_subcommand("report", "Show which functions allocated memory, from profile dumps");
    auto options = std::make_shared<ReportOptions>();
    command->add_option("FILE", options->files, "Dumps, which are added up")->type_name("");
    add_choice<Order>(*command, "--sort", options->view.order, "peak|live|cumulative|count|temporary|slack",
                      "The column to sort by; peak by default at exit, else live");
    add_choice<Grouping>(*command, "--by", options->view.grouping, "site|function|library",
                         "What a row stands for; a site (a source line) by default");
    add_top(*command, options->view.most_rows);
    add_filter(*command, "--focus", options->focus, "Only stacks with a matching function, file or library");
    add_filter(*command, "--ignore", options->ignore, "No stacks with a matching function, file or library");
    command->add_option("--base", options->base, "A dump to subtract, to show what changed since")
        ->type_name("FILE")
        ->allow_extra_args(false);
    add_leak_options(*command, *options);
    add_exports(*command, *options);
    command->footer(
        "Exit status 2: a file is unreadable or malformed; 3: --leaks found more than the threshold.");
    command->callback([options, &invocation] { invocation.status = run_report(*options, invocation); });
}

}  // namespace hotlane::cli
