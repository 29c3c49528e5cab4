// SPDX-License-Identifier: MIT
//
// All files are read before the first symbol is looked up: a mistake is said at once.
// Knows nothing of what is then done with the profile.
// Called by report, and by profile --report.
#include "cli/profile_files.h"

#include "cli/profile_reader.h"
#include "cli/symboliser.h"

#include <chrono>
#include <unistd.h>

namespace hotlane::cli {

namespace {

/// A line on the terminal that is written over and over, and cleared at the end; none before the work is
/// long.
class ProgressLine {
  public:
    ~ProgressLine() {
        if (shown_) {
            dprintf(STDERR_FILENO, "\r\x1b[K");
        }
    }
    void show(size_t done, size_t all) {
        constexpr std::chrono::milliseconds kBetween{100};
        const auto now = std::chrono::steady_clock::now();
        if (terminal_ && now - last_ >= kBetween) {
            last_ = now;
            shown_ = true;
            dprintf(STDERR_FILENO, "\r\x1b[Khotlane: symbols of %zu addresses, %zu done", all, done);
        }
    }

  private:
    const bool terminal_ = isatty(STDERR_FILENO) == 1;
    bool shown_ = false;
    std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

std::vector<Dump> read_all(const std::vector<std::string>& files) {
    std::vector<Dump> dumps;
    dumps.reserve(files.size());
    for (const std::string& file : files) {
        dumps.push_back(read_dump(file));
    }
    return dumps;
}

}  // namespace

Profile load_profile(const std::vector<std::string>& files, const std::vector<std::string>& base) {
    const std::vector<Dump> added = read_all(files);
    const std::vector<Dump> taken_away = read_all(base);
    ProgressLine progress;
    Symboliser symboliser{[&progress](size_t done, size_t all) { progress.show(done, all); }};
    Profile profile;
    for (const Dump& dump : added) {
        if (&dump == &added.front()) {
            profile = symboliser.symbolise(dump);
        } else {
            profile.add(symboliser.symbolise(dump));
        }
    }
    profile.origin.difference = !base.empty();
    for (const Dump& dump : taken_away) {
        profile.subtract(symboliser.symbolise(dump));
    }
    return profile;
}

}  // namespace hotlane::cli
