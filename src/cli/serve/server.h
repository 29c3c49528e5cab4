// SPDX-License-Identifier: MIT
//
// The HTTP server of `hotlane serve`.
#pragma once

#include <string>
#include <vector>

namespace hotlane::cli {

struct ServeOptions {
    std::vector<std::string> directories;  // values of HOTLANE_LIVE
    std::string address = "127.0.0.1";
    int port = 9464;
    bool metrics_only = false;
};

/// Serves until a signal ends the process. Throws LiveError if that is impossible.
void serve(const ServeOptions& options);

}  // namespace hotlane::cli
