// SPDX-License-Identifier: MIT
//
// Profiles a process that runs already, for a while.
#include "cli/commands/attach.h"

#include "cli/analysis/site_table.h"
#include "cli/live/attached_profile.h"
#include "cli/profile/reader.h"
#include "cli/symbols/symboliser.h"
#include "cli/text/text_file.h"
#include "text/units.h"

namespace hotlane::cli {

void add_attach_options(CLI::App& command, AttachOptions& options) {
    command
        .add_option("--attach", options.process, "Profile this process, which runs already; see hotlane ps")
        ->type_name("PID")
        ->check(CLI::PositiveNumber);
    const auto set_duration = [&options](const std::string& text) {
        if (!parse_duration(text, options.duration_ns) || options.duration_ns == 0) {
            throw CLI::ValidationError{"--duration", "\"" + text + "\" is not a time, such as 30s"};
        }
    };
    command
        .add_option_function<std::string>("--duration", set_duration,
                                          "How long, with --attach; 30s by default")
        ->type_name("TIME");
    add_live_option(command, options.directory);
}

int profile_running(const AttachOptions& options) {
    try {
        const LiveDirectory live{options.directory};
        const std::string name =
            options.file.empty() ? free_dump_name(live.read(options.process)) : options.file;
        const AttachedProfile profile{live, options.process, options.sample_bytes};
        if (profile.was_running()) {
            message("profile: the process had a profile already, which goes on");
        }
        if (!wait_beside(live, options.process, std::chrono::nanoseconds{options.duration_ns})) {
            message("profile: process ", std::to_string(options.process),
                    " ended before the profile was written");
            return kFailed;
        }
        const std::string text = live.dump(options.process);
        write_file(name, text);
        message("profile: wrote ", name);
        if (options.report) {
            TableView view;
            view.width = screen_width();
            Symboliser symboliser{[](size_t /*done*/, size_t /*all*/) {}};
            write_file("-", site_table(symboliser.symbolise(parse_dump(text, name)), view));
        }
        return 0;
    } catch (const LiveError& error) {
        message("profile: ", error.what());
    } catch (const FileError& error) {
        message("profile: ", error.what());
    }
    return kFailed;
}

}  // namespace hotlane::cli
