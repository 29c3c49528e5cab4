// SPDX-License-Identifier: MIT
//
// What `hotlane tune` reads: heap profiles with the sizes of requests, and reports with the counters.
#pragma once

#include "cli/tune/demand.h"
#include "cli/tune/run_figures.h"

#include <optional>

namespace hotlane::cli {

struct TuneInputs {
    Demand demand;                      // of all processes
    std::optional<RunFigures> figures;  // of the process with the largest resident set; the counters of all
    std::string program;                // of that process, or of the first profile
};

/// Reads profiles and reports, in any order. Of several dumps of one process the last counts. Throws FileError
/// (text_file.h) when a file cannot be read, or when sizes are needed and there is no profile.
TuneInputs read_tune_inputs(const std::vector<std::string>& files, bool needs_sizes);

}  // namespace hotlane::cli
