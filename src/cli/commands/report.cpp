// SPDX-License-Identifier: MIT
//
// `hotlane report`: shows dumps as a table, a tree or a list of leaks, or exports them to other tools.
#include "cli/analysis/leaks.h"
#include "cli/analysis/profile_files.h"
#include "cli/commands/report_options.h"
#include "cli/launch/open_page.h"
#include "cli/text/function_name.h"
#include "cli/text/text_file.h"
#include "text/writer.h"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string_view>
#include <unistd.h>

namespace hotlane::cli {

namespace {

constexpr int kLeaksFound = 3;

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

/// Applies the options that change what the numbers mean.
void prepare(Profile& profile, const ReportOptions& options) {
    if (!options.skips_wrappers || !options.wrappers.empty()) {
        profile.set_wrappers([&](const Profile::Function& function, const Profile::Library& /*library*/) {
            return (options.skips_wrappers && is_wrapper(function.name)) ||
                   std::any_of(
                       options.wrappers.begin(), options.wrappers.end(),
                       [&](const FrameFilter& wrapper) { return wrapper.matches_text(function.name); });
        });
    }
    const Bytes bytes = options.bytes.value_or(options.leaks ? Bytes::requested : Bytes::size_class);
    if (bytes == Bytes::requested) {
        profile.count_requested_bytes();
    }
    profile.keep([&](const Profile::Stack& stack) {
        return (!options.focus || options.focus->matches(profile, stack)) &&
               !(options.ignore && options.ignore->matches(profile, stack));
    });
}

std::string text_of(const ReportOptions& options, const Profile& profile) {
    if (options.callers) {
        return call_tree(profile, *options.callers, Direction::callers, options.view);
    }
    if (options.callees) {
        return call_tree(profile, *options.callees, Direction::callees, options.view);
    }
    return site_table(profile, options.view);
}

bool is_page(const Export& format) { return std::string_view{format.option} == "--html"; }

int report(const ReportOptions& options) {
    const bool has_page = std::any_of(options.exports.begin(), options.exports.end(),
                                      [](const auto& one) { return is_page(*one.first); });
    Profile profile = load_profile(options.files, options.base, options.places,
                                   has_page ? Moments::keep : Moments::leave_out);
    prepare(profile, options);
    // A page has the base beside the profile, so that its readers can look at either.
    std::optional<Profile> page;
    if (has_page && profile.base) {
        page = profile;
    }
    profile.subtract_base();
    if (options.view.order == Order::peak && !profile.origin.has_peak) {
        throw FileError{
            "report: --sort=peak: not every dump has a peak; dumps of earlier versions and of other "
            "allocators have none"};
    }
    const Order order = options.view.order.value_or(default_order(profile));
    for (const auto& [format, file] : options.exports) {
        write_file(file, format->text(page && is_page(*format) ? *page : profile, order));
        if (options.opens_page && is_page(*format)) {
            open_page(file);
        }
    }
    const bool quiet = !options.exports.empty();
    if (options.leaks) {
        return show_leaks(options, profile, quiet);
    }
    if (!quiet) {
        write_file("-", text_of(options, profile));
    }
    return 0;
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
    const bool has_page = std::any_of(options.exports.begin(), options.exports.end(), [](const auto& one) {
        return is_page(*one.first) && one.second != "-";
    });
    if (options.opens_page && !has_page) {
        message("report: --open needs --html FILE");
        return kFailed;
    }
    options.view.width = screen_width();
    options.view.coloured = isatty(STDOUT_FILENO) == 1 && getenv("NO_COLOR") == nullptr;
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
    add_report_options(*command, *options);
    command->footer(
        "Exit status 2: a file is unreadable or malformed; 3: --leaks found more than the threshold.");
    command->callback([options, &invocation] { invocation.status = run_report(*options, invocation); });
}

}  // namespace hotlane::cli
