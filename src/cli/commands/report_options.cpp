// SPDX-License-Identifier: MIT
//
// Adds the options of `hotlane report` to its command.
#include "cli/commands/report_options.h"

#include "cli/export/html.h"
#include "cli/export/json.h"
#include "cli/export/pprof.h"
#include "cli/export/stacks.h"
#include "text/units.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

namespace hotlane::cli {

namespace {

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

FrameFilter filter_of(const char* option, const std::string& expression) {
    try {
        return FrameFilter{expression};
    } catch (const std::runtime_error& error) {
        throw CLI::ValidationError{option, error.what()};
    }
}

void add_filter(CLI::App& command, const char* name, std::optional<FrameFilter>& filter, const char* help) {
    command
        .add_option_function<std::string>(
            name,
            [name, &filter](const std::string& expression) { filter.emplace(filter_of(name, expression)); },
            help)
        ->type_name("REGEX");
}

void add_wrapper_options(CLI::App& command, ReportOptions& options) {
    command.add_flag("!--no-skip-wrappers,--skip-wrappers", options.skips_wrappers,
                     "Whether xmalloc, zmalloc, operator new and the like are no sites (default)");
    command
        .add_option_function<std::vector<std::string>>(
            "--wrapper",
            [&options](const std::vector<std::string>& expressions) {
                for (const std::string& expression : expressions) {
                    options.wrappers.push_back(filter_of("--wrapper", expression));
                }
            },
            "Functions with a matching name allocate for their callers, too")
        ->type_name("REGEX")
        ->allow_extra_args(false);
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

void add_symbol_options(CLI::App& command, SymbolPlaces& places) {
    constexpr const char* kGroup = "Symbols of another machine";
    command.add_option("--sysroot", places.sysroot, "Directory with the files of the dump's machine")
        ->type_name("DIR")
        ->group(kGroup);
    command
        .add_option("--symbols", places.directories,
                    "Directory of files by build-id: .build-id/ab/cdef.debug")
        ->type_name("DIR")
        ->allow_extra_args(false)
        ->group(kGroup);
    command
        .add_option("--perf-map", places.perf_map,
                    "Functions of generated code; /tmp/perf-PID.map by default")
        ->type_name("FILE")
        ->group(kGroup);
    const auto add_map = [&places](const std::string& map) {
        const size_t equals = map.find('=');
        if (equals == 0 || equals == std::string::npos || map.front() != '/') {
            throw CLI::ValidationError{"--map", "\"" + map + "\" is not /FROM=TO"};
        }
        places.maps.emplace_back(map.substr(0, equals), map.substr(equals + 1));
    };
    command
        .add_option_function<std::vector<std::string>>(
            "--map",
            [add_map](const std::vector<std::string>& maps) {
                std::for_each(maps.begin(), maps.end(), add_map);
            },
            "Replace the start of paths in the dump")
        ->type_name("FROM=TO")
        ->allow_extra_args(false)
        ->group(kGroup);
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
    command.add_flag("--open", options.opens_page, "Open the page of --html in a browser (xdg-open)");
}

}  // namespace

void add_report_options(CLI::App& command, ReportOptions& options) {
    command.add_option("FILE", options.files, "Dumps, which are added up")->type_name("");
    add_choice<Order>(command, "--sort", options.view.order, "peak|live|cumulative|count|temporary|slack",
                      "The column to sort by; peak by default at exit, else live");
    add_choice<Grouping>(command, "--by", options.view.grouping, "site|function|library",
                         "What a row stands for; a site (a source line) by default");
    add_choice<Bytes>(command, "--bytes", options.bytes, "requested|class",
                      "What bytes count: those asked for (--leaks), or of size classes (all else)");
    add_top(command, options.view.most_rows);
    add_filter(command, "--focus", options.focus, "Only stacks with a matching function, file or library");
    add_filter(command, "--ignore", options.ignore, "No stacks with a matching function, file or library");
    add_filter(command, "--callers", options.callers, "A tree of the callers of matching functions");
    add_filter(command, "--callees", options.callees, "A tree of what matching functions call");
    add_wrapper_options(command, options);
    command.add_option("--base", options.base, "A dump to subtract, to show what changed since")
        ->type_name("FILE")
        ->allow_extra_args(false);
    add_symbol_options(command, options.places);
    add_leak_options(command, options);
    add_exports(command, options);
}

}  // namespace hotlane::cli
