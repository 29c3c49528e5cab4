// SPDX-License-Identifier: MIT
//
// Fuzzes what `hotlane tune` reads, a profile or a report, and what it computes from it. Each input gives an
// error with one line, or finite figures.
#include "cli/profile/reader.h"
#include "cli/text/text_file.h"
#include "cli/tune/class_table.h"
#include "cli/tune/run_figures.h"
#include "input.h"

#include <cmath>
#include <string>

using namespace hotlane;
using fuzz::require;

namespace {

void read_profile(std::string_view text) {
    cli::Demand demand = cli::demand_of(cli::parse_dump(text, "x"), "x");
    cli::add_demand(demand, cli::Demand{demand});
    const cli::ClassSizes classes = cli::cacheline_classes();
    require(std::isfinite(cli::rounding_bytes(demand, classes)), "a finite sum");
    require(std::isfinite(cli::resident_bytes(demand, classes)), "a finite sum");
    require(cli::rounded_bytes(cli::live_bytes(demand)) >= 0, "no negative sum");
    for (const cli::SizeDemand& row : demand) {
        const size_t c = cli::class_for(classes, row.size);
        require(classes[c] >= row.size && (c == 0 || classes[c - 1] < row.size), "the class of a size");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    try {
        if (text.starts_with("heap profile:")) {
            read_profile(text);
        } else {
            cli::parse_run_figures(text, "x");
        }
    } catch (const cli::FileError& error) {
        require(std::string_view{error.what()}.find('\n') == std::string_view::npos, "one line");
    }
    return 0;
}
