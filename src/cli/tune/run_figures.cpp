// SPDX-License-Identifier: MIT
//
// Reads a report in JSON. It may come from an untrusted source.
#include "cli/tune/run_figures.h"

#include "cli/text/shown_text.h"
#include "cli/text/text_file.h"

#include <nlohmann/json.hpp>

namespace hotlane::cli {

namespace {

using Json = nlohmann::json;

/// Returns a number of the report, or 0 when there is none of that name. Throws Json::exception when it is
/// something else than a number.
uint64_t number(const Json& object, const char* key) {
    const auto found =
        object.is_object() ? object.find(key) : throw Json::type_error::create(302, key, &object);
    if (found == object.end()) {
        return 0;
    }
    return found->is_number_unsigned() ? found->get<uint64_t>()
                                       : throw Json::other_error::create(0, key, found.operator->());
}

RunFigures figures_of(const Json& report) {
    RunFigures figures;
    const Json& process = report.at("process");
    const Json& totals = report.at("totals");
    figures.program = cut_text(shown_text(process.at("program").get<std::string>()), 256);
    figures.process = static_cast<int64_t>(number(process, "pid"));
    figures.threads = number(process, "threads_live") + number(process, "threads_ended");
    figures.allocations = number(totals, "allocations");
    figures.misses = number(totals, "misses");
    figures.peak_rss = number(report.at("memory"), "peak_rss");
    for (const Json& row : report.at("classes")) {
        const uint64_t size = number(row, "size");
        figures.classes[static_cast<uint32_t>(size)] = {.allocations = number(row, "allocations"),
                                                        .refills = number(row, "refills"),
                                                        .swing = number(row, "swing")};
    }
    return figures;
}

}  // namespace

RunFigures parse_run_figures(std::string_view text, const std::string& file) {
    try {
        const Json report = Json::parse(text);
        if (report.at("format") == "hotlane-stats") {
            return figures_of(report);
        }
    } catch (const Json::exception&) {
    }
    throw FileError{file + ": expected a report of HOTLANE_STATS=json, or a heap profile"};
}

}  // namespace hotlane::cli
