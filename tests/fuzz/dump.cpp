// SPDX-License-Identifier: MIT
//
// Fuzzes the reader of dumps with any text. It is read or refused with one line, and nothing that is shown
// contains control characters.
#include "cli/analysis/site_table.h"
#include "cli/export/json.h"
#include "cli/export/page_data.h"
#include "cli/export/stacks.h"
#include "cli/profile/last_dumps.h"
#include "cli/profile/reader.h"
#include "cli/text/shown_text.h"
#include "cli/text/text_file.h"
#include "input.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

using namespace hotlane::cli;
using hotlane::fuzz::require;

namespace {

/// As the symboliser would do for a process whose files do not exist any more.
Profile without_symbols(const Dump& dump) {
    Profile profile;
    profile.origin = dump.origin;
    profile.classes = dump.classes;
    profile.timeline = dump.timeline;
    for (const Dump::Mapping& mapping : dump.mappings) {
        profile.add_library({mapping.path, mapping.start, mapping.end, 0});
    }
    const size_t libraries = profile.libraries().size();
    for (const Dump::Entry& entry : dump.entries) {
        std::vector<uint32_t> frames;
        for (const uint64_t address : entry.addresses) {
            const auto library = static_cast<uint32_t>(address % libraries);
            const uint32_t function =
                profile.add_function({dump.origin.program, dump.origin.reason, library});
            frames.push_back(profile.add_frame({function, 0, address, false}));
        }
        profile.add_stack(frames, entry.totals);
    }
    return profile;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    try {
        const std::string_view text{reinterpret_cast<const char*>(data), size};
        const Dump dump = parse_dump(text, "input");
        require(last_of_each_process({&dump.origin, &dump.origin}).size() ==
                    (dump.origin.process == 0 ? 2 : 1),
                "a dump is of the same process as itself");
        Profile profile = without_symbols(dump);
        std::string shown = site_table(profile, {}) + export_folded(profile, Order::cumulative);
        shown.erase(std::remove(shown.begin(), shown.end(), '\n'), shown.end());
        require(shown_text(shown) == shown, "nothing that a terminal obeys");
        require(nlohmann::json::accept(to_json(profile).dump()), "JSON");
        const Profile same = profile;
        profile.add_base(same);
        const nlohmann::json page = page_data(to_json(profile));
        require(page.at("stacks").at("count") == profile.stacks().size(), "every stack is on the page");
        profile.subtract_base();
        profile.add(same);
        profile.subtract(same);
        profile.subtract(same);
    } catch (const FileError& error) {
        const std::string_view what = error.what();
        require(what.starts_with("input:") && what.find('\n') == what.npos, "one line, which names the file");
    }
    return 0;
}
