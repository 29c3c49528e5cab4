// SPDX-License-Identifier: MIT
//
// Tells profiles from reports by their first bytes, and adds up what several processes wrote.
#include "cli/tune/inputs.h"

#include "cli/profile/last_dumps.h"
#include "cli/profile/reader.h"
#include "cli/text/text_file.h"

#include <algorithm>
#include <filesystem>

namespace hotlane::cli {

namespace {

void add_figures(std::optional<RunFigures>& sum, const RunFigures& other) {
    if (!sum) {
        sum = other;
        return;
    }
    if (other.peak_rss > sum->peak_rss) {
        sum->program = other.program;
        sum->process = other.process;
        sum->peak_rss = other.peak_rss;
    }
    sum->allocations += other.allocations;
    sum->misses += other.misses;
    sum->threads = std::max(sum->threads, other.threads);
    for (const auto& [size, counts] : other.classes) {
        RunFigures::OfClass& total = sum->classes[size];
        total.allocations += counts.allocations;
        total.refills += counts.refills;
        total.swing = std::max(total.swing, counts.swing);
    }
}

}  // namespace

TuneInputs read_tune_inputs(const std::vector<std::string>& files, bool needs_sizes) {
    TuneInputs inputs;
    std::vector<Dump> dumps;
    std::vector<std::string> names;
    for (const std::string& file : files) {
        const std::string text = read_file(file);
        if (text.starts_with("heap profile:")) {
            dumps.push_back(parse_dump(text, file));
            names.push_back(file);
        } else {
            add_figures(inputs.figures, parse_run_figures(text, file));
        }
    }
    if (needs_sizes && dumps.empty()) {
        throw FileError{"tune: a report has no sizes of requests: give a heap profile of the same run, too"};
    }
    std::vector<const ProfileOrigin*> origins;
    origins.reserve(dumps.size());
    for (const Dump& dump : dumps) {
        origins.push_back(&dump.origin);
    }
    for (const size_t i : last_of_each_process(origins)) {
        add_demand(inputs.demand, demand_of(dumps[i], names[i]));
    }
    if (needs_sizes && inputs.demand.empty()) {
        throw FileError{
            "tune: no request of up to 64 KiB was sampled: give a shorter interval, as in --sample=1K"};
    }
    inputs.program = inputs.figures ? inputs.figures->program
                     : dumps.empty()
                         ? std::string{}
                         : std::filesystem::path{dumps.front().origin.program}.filename().string();
    return inputs;
}

}  // namespace hotlane::cli
