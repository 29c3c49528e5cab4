// SPDX-License-Identifier: MIT
//
// Converts addresses of a process to addresses of files, and those to functions and lines.
#include "cli/symbols/symboliser.h"

#include "cli/text/quantity.h"

#include <algorithm>
#include <sys/stat.h>
#include <unistd.h>

namespace hotlane::cli {

struct Symboliser::Place {
    std::vector<Dump::Mapping> mappings;
    uint32_t library = 0;
    Known* known = nullptr;  // null for code that is in no file

    uint64_t start() const { return mappings.front().start; }
    uint64_t end() const { return mappings.back().end; }

    /// Returns the address in the library's file. If the file cannot be read, the first segment is assumed to
    /// be at 0, which is true of everything but executables at fixed addresses.
    uint64_t file_address(uint64_t address) const {
        const auto holds = [=](const Dump::Mapping& m) { return m.start <= address && address < m.end; };
        const auto mapping = std::find_if(mappings.begin(), mappings.end(), holds);
        if (mapping != mappings.end() && known->file) {
            const auto found = known->file->address_of(address - mapping->start + mapping->offset);
            if (found) {
                return *found;
            }
        }
        // A file of debug information alone may not say where its segments are.
        return known->file && known->file->is_at_fixed_addresses() ? address : address - start();
    }
};

namespace {

constexpr std::string_view kDeleted = " (deleted)";

/// Returns whether the file was modified after the dump, or replaced by another one. A different inode alone
/// proves nothing: the dump may come from another machine.
bool is_changed(const struct stat& status, uint64_t inode, int64_t dump_time_ns) {
    constexpr int64_t kSecond = 1'000'000'000;
    const int64_t dumped = dump_time_ns / kSecond;
    return dumped != 0 &&
           (status.st_mtim.tv_sec > dumped || (status.st_ctim.tv_sec > dumped && status.st_ino != inode));
}

/// Whether code in this mapping comes from no file: it is anonymous, or shared memory without a name in a directory.
bool holds_generated_code(const std::string& path) {
    return !path.starts_with('/') || path.starts_with("/memfd:") || path.starts_with("/dev/zero");
}

}  // namespace

std::unique_ptr<SymbolFile> Symboliser::find_file(const Dump::Mapping& mapping, int64_t dump_time_ns) const {
    const bool deleted = mapping.path.ends_with(kDeleted);
    const std::string& id = mapping.build_id;
    const std::string path =
        symbol_places_.path_of(mapping.path.substr(0, mapping.path.size() - (deleted ? kDeleted.size() : 0)));
    struct stat status {};
    // A build-id proves that it is the same file. Without one, times and inodes must do; on another machine
    // they mean nothing.
    const bool same =
        !id.empty() || (!deleted && stat(path.c_str(), &status) == 0 &&
                        (symbol_places_.elsewhere() || !is_changed(status, mapping.inode, dump_time_ns)));
    std::vector<std::string> files = symbol_places_.files_of(id);
    if (same) {
        files.insert(files.begin(), path);
    }
    for (const std::string& file : files) {
        auto opened = SymbolFile::open(file, symbol_places_.debug_path());
        if (opened && (id.empty() || opened->build_id() == id)) {
            return opened;
        }
    }
    return nullptr;
}

Symboliser::Known& Symboliser::known(const Dump::Mapping& mapping, int64_t dump_time_ns) {
    std::string key = mapping.path + "#" + mapping.build_id;
    if (mapping.build_id.empty()) {
        struct stat status {};
        const bool changed = stat(symbol_places_.path_of(mapping.path).c_str(), &status) == 0 &&
                             is_changed(status, mapping.inode, dump_time_ns);
        key += changed ? "changed" : "";
    }
    const auto [place, added] = known_.try_emplace(std::move(key));
    if (added) {
        place->second.file = find_file(mapping, dump_time_ns);
    }
    return place->second;
}

std::vector<Symboliser::Place> Symboliser::places_of(const Dump& dump) {
    std::vector<Place> places;
    for (const Dump::Mapping& mapping : dump.mappings) {
        if (mapping.path.empty()) {
            continue;  // there may be anonymous mappings between the parts of a library
        }
        if (places.empty() || places.back().mappings.back().path != mapping.path) {
            places.emplace_back();
        }
        places.back().mappings.push_back(mapping);
    }
    for (Place& place : places) {
        if (place.mappings.front().path.starts_with('/')) {
            place.known = &known(place.mappings.front(), dump.origin.time_ns);
        }
    }
    return places;
}

const PerfMap& Symboliser::generated_code(const Dump& dump) {
    const bool is_named = !symbol_places_.perf_map.empty();
    if (is_named && !has_named_map_) {
        generated_code_ = read_perf_map(symbol_places_.perf_map);
        has_named_map_ = true;
    } else if (!is_named &&
               !symbol_places_.elsewhere()) {  // process ids of another machine mean nothing here
        generated_code_ =
            perf_map_of(dump.origin.process, dump.owner.value_or(geteuid()), dump.origin.begin_ns);
    }
    return generated_code_;
}

std::optional<uint32_t> Symboliser::generated_frame(uint64_t address, const Dump& dump, const PerfMap& code,
                                                    Profile& profile) {
    const PerfMap::Function* function = code.function_at(address);
    if (function == nullptr) {
        return std::nullopt;
    }
    const auto after = std::upper_bound(dump.mappings.begin(), dump.mappings.end(), address,
                                        [](uint64_t a, const Dump::Mapping& m) { return a < m.start; });
    if (after != dump.mappings.begin() && address < after[-1].end && !holds_generated_code(after[-1].path)) {
        return std::nullopt;
    }
    return profile.add_frame(
        {profile.add_function({function->name, function->file, 0}), function->line, address, false});
}

std::vector<uint32_t> Symboliser::frames_at(uint64_t address, const std::vector<Place>& places,
                                            Profile& profile) {
    const auto after = std::upper_bound(places.begin(), places.end(), address,
                                        [](uint64_t a, const Place& place) { return a < place.start(); });
    const Place* place = after == places.begin() ? nullptr : &after[-1];
    if (place == nullptr || address >= place->end() || place->known == nullptr) {
        const bool named = place != nullptr && address < place->end();
        const std::string name = named ? place->mappings.front().path : hex_text(address);
        return {profile.add_frame({profile.add_function({name, "", 0}), 0, address, false})};
    }
    std::string path = place->mappings.front().path;
    if (path.ends_with(kDeleted)) {
        path.resize(path.size() - kDeleted.size());
    }
    const uint64_t file_address = place->file_address(address);
    const uint32_t library = profile.add_library(
        {path, place->start(), place->end(), address - file_address, place->mappings.front().build_id});
    const auto [found, added] = place->known->frames.try_emplace(file_address);
    if (added && place->known->file) {
        found->second = place->known->file->frames_at(file_address);
    }
    if (found->second.empty()) {
        const std::string name = profile.libraries()[library].name() + "+" + hex_text(file_address);
        found->second.push_back({name, "", 0, false});
    }
    std::vector<uint32_t> frames;
    for (const SourceFrame& frame : found->second) {
        const uint32_t function = profile.add_function({frame.function, frame.file, library});
        frames.push_back(profile.add_frame({function, frame.line, file_address, frame.inlined}));
    }
    return frames;
}

Profile Symboliser::symbolise(const Dump& dump) {
    Profile profile;
    profile.origin = dump.origin;
    profile.classes = dump.classes;
    profile.timeline = dump.timeline;
    const std::vector<Place> places = places_of(dump);
    const PerfMap& code = generated_code(dump);
    std::map<uint64_t, std::vector<uint32_t>> frames;
    for (const Dump::Entry& entry : dump.entries) {
        for (const uint64_t address : entry.addresses) {
            frames.try_emplace(address);
        }
    }
    size_t done = 0;
    for (auto& [address, found] : frames) {
        // The call ends just before its return address.
        const uint64_t call = address == 0 ? 0 : address - 1;
        const std::optional<uint32_t> generated = generated_frame(call, dump, code, profile);
        found = generated ? std::vector{*generated} : frames_at(call, places, profile);
        progress_(++done, frames.size());
    }
    for (const Dump::Entry& entry : dump.entries) {
        std::vector<uint32_t> stack;
        for (const uint64_t address : entry.addresses) {
            const std::vector<uint32_t>& part = frames[address];
            stack.insert(stack.end(), part.begin(), part.end());
        }
        const auto thread = dump.threads.find(entry.thread);
        profile.add_stack(stack, entry.totals,
                          {entry.object_size, thread != dump.threads.end() ? thread->second : ""});
    }
    return profile;
}

}  // namespace hotlane::cli
