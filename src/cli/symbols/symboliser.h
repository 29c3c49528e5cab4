// SPDX-License-Identifier: MIT
//
// Converts the addresses of dumps to functions, files, lines and libraries.
#pragma once

#include "cli/profile/dump.h"
#include "cli/symbols/perf_map.h"
#include "cli/symbols/symbol_file.h"
#include "cli/symbols/symbol_places.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace hotlane::cli {

/// Keeps what it read about libraries for further dumps. Not thread-safe.
class Symboliser {
  public:
    /// Called after each address with the number of addresses done and of all.
    using Progress = std::function<void(size_t done, size_t all)>;

    explicit Symboliser(Progress progress, SymbolPlaces places = {})
        : progress_{std::move(progress)}, symbol_places_{std::move(places)} {}

    Profile symbolise(const Dump& dump);

  private:
    /// A library in a process: all its mappings.
    struct Place;
    /// A library's file, unless it is missing or another one than that of the dump, and the frames found in it so
    /// far.
    struct Known {
        std::unique_ptr<SymbolFile> file;
        std::map<uint64_t, std::vector<SourceFrame>> frames;
    };

    std::vector<Place> places_of(const Dump& dump);
    /// The functions of generated code in the process of the dump.
    const PerfMap& generated_code(const Dump& dump);
    Known& known(const Dump::Mapping& mapping, int64_t dump_time_ns);
    std::unique_ptr<SymbolFile> find_file(const Dump::Mapping& mapping, int64_t dump_time_ns) const;
    std::vector<uint32_t> frames_at(uint64_t address, const std::vector<Place>& places, Profile& profile);
    /// Returns the frame of generated code, or nothing.
    static std::optional<uint32_t> generated_frame(uint64_t address, const Dump& dump, const PerfMap& code,
                                                   Profile& profile);

    Progress progress_;
    SymbolPlaces symbol_places_;
    PerfMap generated_code_;  // of the current dump, or what the user named
    bool has_named_map_ = false;
    std::map<std::string, Known> known_;  // by path and build-id, or by path and whether the file was changed
};

}  // namespace hotlane::cli
