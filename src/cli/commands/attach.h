// SPDX-License-Identifier: MIT
//
// `hotlane profile --attach`: a profile of a process that runs already.
#pragma once

#include "cli/commands/commands.h"

namespace hotlane::cli {

struct AttachOptions {
    int64_t process = 0;  // 0: none
    std::string directory;
    uint64_t duration_ns = 30'000'000'000;
    uint64_t sample_bytes = 0;  // 0: as the options of the process say
    std::string file;
    bool report = false;
};

void add_attach_options(CLI::App& command, AttachOptions& options);

/// Returns the exit status.
int profile_running(const AttachOptions& options);

}  // namespace hotlane::cli
