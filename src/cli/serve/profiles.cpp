// SPDX-License-Identifier: MIT
//
// Lets processes write dumps, and turns them into what pprof and browsers read.
#include "cli/serve/profiles.h"

#include "cli/export/html.h"
#include "cli/export/json.h"
#include "cli/export/pprof.h"
#include "cli/live/attached_profile.h"
#include "cli/profile/reader.h"
#include "cli/symbols/symboliser.h"

#include <nlohmann/json.hpp>
#include <thread>

namespace hotlane::cli {

namespace {

Dump parsed(const std::string& text, int64_t process) {
    return parse_dump(text, "the dump of process " + std::to_string(process));
}

Dump dump_of(const LiveDirectory& live, int64_t process) { return parsed(live.dump(process), process); }

Symboliser symboliser() {
    return Symboliser{[](size_t /*done*/, size_t /*all*/) {}};
}

void ensure_profiled(const LiveDirectory& live, int64_t process) {
    if (live.read(process).counters->profile_period == 0) {
        live.ask(process, live::Request::start_profile);
    }
}

}  // namespace

std::string heap_profile(const LiveDirectory& live, int64_t process) {
    ensure_profiled(live, process);
    return export_pprof(symboliser().symbolise(dump_of(live, process)));
}

std::string allocations_profile(const LiveDirectory& live, int64_t process, std::chrono::seconds duration) {
    const AttachedProfile profile{live, process, 0};
    const Dump before = dump_of(live, process);
    std::this_thread::sleep_for(duration);
    const Dump after = dump_of(live, process);
    Symboliser symbols = symboliser();
    Profile difference = symbols.symbolise(after);
    difference.subtract(symbols.symbolise(before));
    difference.origin.difference = true;
    difference.origin.duration_ns = std::chrono::nanoseconds{duration}.count();
    return export_pprof(difference);
}

std::string profile_page(const LiveDirectory& live, int64_t process, KeptDumps& kept,
                         std::optional<int64_t> base) {
    ensure_profiled(live, process);
    std::string text = live.dump(process);
    const Dump dump = parsed(text, process);
    const int64_t series = dump.origin.series;
    Symboliser symbols = symboliser();
    Profile profile = symbols.symbolise(dump);
    if (base) {
        const std::optional<std::string> before = kept.find(process, series, *base);
        if (!before) {
            throw LiveError{"no page of dump " + std::to_string(*base) + " of process " +
                            std::to_string(process) + " is remembered"};
        }
        profile.add_base(symbols.symbolise(parsed(*before, process)));
    }
    kept.add({process, series, dump.origin.sequence, std::move(text)});
    nlohmann::json document = to_json(profile);
    document["served"] = true;
    return render_html(std::move(document));
}

}  // namespace hotlane::cli
