// SPDX-License-Identifier: MIT
//
// The program that `hotlane serve` executes. It is a program of its own, because the HTTP library brings others,
// such as OpenSSL, which every `hotlane run` would load. Its arguments are ADDRESS PORT METRICS_ONLY DIRECTORY...
#include "cli/live/live_process.h"
#include "cli/serve/server.h"
#include "text/writer.h"

#include <csignal>
#include <cstdlib>
#include <exception>

int main(int argc, char** argv) {
    constexpr int kFirstDirectory = 4;
    constexpr int kFailed = 125;
    if (argc <= kFirstDirectory) {
        hotlane::message("run hotlane serve instead (see hotlane serve --help)");
        return kFailed;
    }
    signal(SIGPIPE, SIG_IGN);
    try {
        hotlane::cli::serve({.directories = {argv + kFirstDirectory, argv + argc},
                             .address = argv[1],
                             .port = atoi(argv[2]),
                             .metrics_only = *argv[3] == '1'});
    } catch (const std::exception& error) {
        hotlane::message("serve: ", error.what());
        return kFailed;
    }
    return 0;
}
