// SPDX-License-Identifier: MIT
//
// Joins paths. A path of the dump stays below the sysroot, whatever it contains.
#include "cli/symbols/symbol_places.h"

#include <filesystem>

namespace hotlane::cli {

namespace {

/// Returns the path without "." and "..", which may lead out of a directory.
std::string plain(const std::string& path) { return std::filesystem::path{path}.lexically_normal().string(); }

bool is_below(const std::string& path, const std::string& directory) {
    return path.starts_with(directory) &&
           (directory.ends_with('/') || path.size() == directory.size() || path[directory.size()] == '/');
}

}  // namespace

std::string SymbolPlaces::path_of(const std::string& path) const {
    const std::string wanted = plain(path);
    for (const auto& [from, to] : maps) {
        if (is_below(wanted, from)) {
            return to + wanted.substr(from.size());
        }
    }
    return sysroot + wanted;
}

std::vector<std::string> SymbolPlaces::files_of(const std::string& build_id) const {
    constexpr size_t kShortest = 3;
    if (build_id.size() < kShortest) {
        return {};
    }
    const std::string name = build_id.substr(0, 2) + "/" + build_id.substr(2);
    std::vector<std::string> files;
    for (const std::string& directory : directories) {
        for (const char* below : {"/.build-id/", "/"}) {
            std::string file = directory;
            file.append(below).append(name);
            files.push_back(file);
            files.push_back(file + ".debug");
        }
    }
    return files;
}

std::string SymbolPlaces::debug_path() const {
    std::string path = ":.debug:" + sysroot + "/usr/lib/debug";
    for (const std::string& directory : directories) {
        path += ":" + directory;
    }
    return path;
}

}  // namespace hotlane::cli
