// SPDX-License-Identifier: MIT
//
// Finds the library relative to /proc/self/exe, and builds the value of LD_PRELOAD.
#include "cli/launch/library.h"

#include <filesystem>
#include <stdexcept>

namespace hotlane::cli {

namespace fs = std::filesystem;

std::string find_library() {
    // The name with the version number. The name without it exists only where development files are
    // installed.
    constexpr const char* kName = "libhotlane.so.0";
    // Directories relative to the command: in an installation (with the prefix that it was built for, or moved to
    // another), in a build tree, and beside the command. The build defines HOTLANE_LIBDIR and HOTLANE_MULTIARCH.
    constexpr const char* kInstalled = "../" HOTLANE_LIBDIR;
    constexpr const char* kMultiarch = "../lib/" HOTLANE_MULTIARCH;
    constexpr const char* kPlaces[] = {kInstalled, kMultiarch, "../lib", "../lib64", "../../preload", "."};
    const fs::path here = fs::read_symlink("/proc/self/exe").parent_path();
    for (const char* place : kPlaces) {
        std::error_code error;
        const fs::path found = fs::canonical(here / place, error) / kName;
        if (!error && fs::exists(found, error)) {
            return found;
        }
    }
    throw std::runtime_error{std::string{"cannot find "} + kName + " in the prefix or the build tree of " +
                             here.string()};
}

std::string preload_list(const std::string& library, const char* before) {
    // The loader treats both as separators and has no escape for them (ld.so(8)).
    if (library.find_first_of(" :") != std::string::npos) {
        throw std::runtime_error{"cannot preload " + library +
                                 ": LD_PRELOAD cannot hold a path with a space or a colon"};
    }
    return before == nullptr || *before == '\0' ? library : library + ":" + before;
}

}  // namespace hotlane::cli
