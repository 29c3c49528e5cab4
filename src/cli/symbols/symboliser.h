// SPDX-License-Identifier: MIT
//
// Gives the addresses of dumps their names: functions, files, lines, libraries.
// Knows nothing of how dumps are written or profiles shown.
// Called by report.
#pragma once

#include "cli/profile/dump.h"
#include "cli/symbols/symbol_file.h"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace hotlane::cli {

/// Keeps what it read of libraries for the next dump.
class Symboliser {
  public:
    /// Told how many addresses of how many are done, now and then.
    using Progress = std::function<void(size_t done, size_t all)>;

    explicit Symboliser(Progress progress) : progress_{std::move(progress)} {}

    Profile symbolise(const Dump& dump);

  private:
    /// A library as a process had it mapped, all its mappings together.
    struct Place;
    /// A library's file, unless it is gone or was changed since the dump, and the frames found in it so far.
    struct Known {
        std::unique_ptr<SymbolFile> file;
        std::map<uint64_t, std::vector<SourceFrame>> frames;
    };

    std::vector<Place> places_of(const Dump& dump);
    Known& known(const Dump::Mapping& mapping, int64_t dump_time_ns);
    std::vector<uint32_t> frames_at(uint64_t address, const std::vector<Place>& places, Profile& profile);

    Progress progress_;
    std::map<std::string, Known> known_;  // by path and what tells versions of a file apart
};

}  // namespace hotlane::cli
