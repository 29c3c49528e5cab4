// SPDX-License-Identifier: MIT
//
// Finding the library from /proc/self/exe, and the list for LD_PRELOAD.
// Knows nothing of the program that will be run.
// Called by run.
#include "cli/launch/library.h"

#include <filesystem>
#include <stdexcept>

namespace hotlane::cli {

namespace fs = std::filesystem;

std::string find_library() {
    // By the name that programs are linked with: the one without a number comes with a development package.
    constexpr const char* kName = "libhotlane.so.0";
    // The prefix of an installation (the build tells its libdir), a build tree, and all in one directory.
    constexpr const char* kInstalled = "../" HOTLANE_LIBDIR;
    constexpr const char* kPlaces[] = {kInstalled, "../lib", "../../preload", "."};
    const fs::path here = fs::read_symlink("/proc/self/exe").parent_path();
    for (const char* place : kPlaces) {
        std::error_code error;
        const fs::path found = fs::canonical(here / place, error) / kName;
        if (!error && fs::exists(found, error)) {
            return found;
        }
    }
    throw std::runtime_error{std::string{kName} + " is neither in the prefix nor in the build tree of " +
                             here.string()};
}

std::string preload_list(const std::string& library, const char* before) {
    // The loader takes both for separators, and knows no escape (ld.so(8)).
    if (library.find_first_of(" :") != std::string::npos) {
        throw std::runtime_error{"cannot preload " + library +
                                 ": LD_PRELOAD takes no path with a space or a colon"};
    }
    return before == nullptr || *before == '\0' ? library : library + ":" + before;
}

}  // namespace hotlane::cli
