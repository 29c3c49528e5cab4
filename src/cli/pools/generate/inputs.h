// SPDX-License-Identifier: MIT
//
// Reads all files that pools are made from.
#pragma once

#include "cli/pools/generate/plan.h"

#include <string>
#include <vector>

namespace hotlane::cli {

struct InputOptions {
    std::string contract;  // name of the file
    std::string config;    // of the service file
    std::string service;   // empty: the only one of the service file
    std::string bounds;    // name of a file, or empty
    std::vector<std::string> import_paths;
    ClassRule rule = ClassRule::power_of_two;
};

struct Inputs {
    Plan plan;
    std::vector<std::string> files;  // all that were read
};

/// Reads the files and computes the pools. The result is only of use if no problem was reported.
Inputs read_inputs(const InputOptions& options, Problems& problems);

}  // namespace hotlane::cli
