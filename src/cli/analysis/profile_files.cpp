// SPDX-License-Identifier: MIT
//
// Loads dumps. All files are read before the first symbol is looked up, so that errors appear at once.
#include "cli/analysis/profile_files.h"

#include "cli/profile/last_dumps.h"
#include "cli/profile/reader.h"
#include "cli/symbols/symboliser.h"
#include "text/writer.h"

#include <algorithm>
#include <chrono>
#include <unistd.h>

namespace hotlane::cli {

namespace {

/// A progress line on the terminal. It appears only when the work takes long, and is cleared at the end.
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
            dprintf(STDERR_FILENO, "\r\x1b[Khotlane: looked up %zu of %zu addresses", done, all);
        }
    }

  private:
    const bool terminal_ = isatty(STDERR_FILENO) == 1;
    bool shown_ = false;
    std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

/// Reports how many files were left out, and why.
void say_which_count(const std::vector<std::string>& files, const std::vector<Dump>& dumps,
                     const std::vector<size_t>& counted) {
    const std::string left_out = std::to_string(dumps.size() - counted.size());
    const std::string of = left_out + " of " + std::to_string(dumps.size()) + " dumps left out, because ";
    if (counted.size() == 1) {
        message("report: ", of, "a later dump of the same process includes them; using ",
                files[counted.front()]);
    } else {
        message("report: ", of, "later dumps of the same processes include them; using the last of each of ",
                std::to_string(counted.size()) + " processes");
    }
}

/// Reports a dump that lacks something, or has more than this version knows.
void say_which_format(const std::string& file, int64_t format) {
    if (format > kNewestFormat) {
        message("report: ", file, " is of a later version; what this version does not know is left out");
    } else if (format != 0 && format < kFormatWithPeak) {
        message("report: ", file, " is of an earlier version, which recorded neither peak nor timeline");
    }
}

/// The last dump of each process, and the others.
struct Dumps {
    std::vector<Dump> last;
    std::vector<Dump> earlier;
};

Dumps read_all(const std::vector<std::string>& files) {
    std::vector<Dump> dumps;
    dumps.reserve(files.size());
    std::vector<const ProfileOrigin*> origins;
    for (const std::string& file : files) {
        dumps.push_back(read_dump(file));
        origins.push_back(&dumps.back().origin);
    }
    const std::vector<size_t> counted = last_of_each_process(origins);
    if (counted.size() < dumps.size()) {
        say_which_count(files, dumps, counted);
    }
    Dumps result;
    for (size_t i = 0; i < dumps.size(); ++i) {
        const bool is_last = std::find(counted.begin(), counted.end(), i) != counted.end();
        if (is_last) {
            say_which_format(files[i], dumps[i].origin.format);
        }
        (is_last ? result.last : result.earlier).push_back(std::move(dumps[i]));
    }
    return result;
}

/// Adds the earlier dumps of the process as moments. Of more than kMost, some at equal distances are taken.
void add_moments(Profile& profile, std::vector<Dump> earlier, Symboliser& symboliser) {
    constexpr size_t kMost = 60;
    std::sort(earlier.begin(), earlier.end(),
              [](const Dump& a, const Dump& b) { return a.origin.sequence < b.origin.sequence; });
    const size_t count = std::min(kMost, earlier.size());
    for (size_t i = 0; i < count; ++i) {
        profile.add_moment(symboliser.symbolise(earlier[i * earlier.size() / count]));
    }
}

}  // namespace

Profile load_profile(const std::vector<std::string>& files, const std::vector<std::string>& base,
                     const SymbolPlaces& places, Moments moments) {
    Dumps read = read_all(files);
    const std::vector<Dump>& added = read.last;
    const std::vector<Dump> taken_away = read_all(base).last;
    ProgressLine progress;
    Symboliser symboliser{[&progress](size_t done, size_t all) { progress.show(done, all); }, places};
    Profile profile;
    for (const Dump& dump : added) {
        if (&dump == &added.front()) {
            profile = symboliser.symbolise(dump);
        } else {
            profile.add(symboliser.symbolise(dump));
        }
    }
    if (moments == Moments::keep && added.size() == 1 && base.empty()) {
        add_moments(profile, std::move(read.earlier), symboliser);
    }
    for (const Dump& dump : taken_away) {
        profile.add_base(symboliser.symbolise(dump));
    }
    return profile;
}

}  // namespace hotlane::cli
