// SPDX-License-Identifier: MIT
//
// Reads one profile dump, line by line. Malformed input is reported with its line number.
#include "cli/profile/reader.h"

#include "cli/profile/dump_lines.h"
#include "cli/text/shown_text.h"
#include "cli/text/text_cursor.h"
#include "cli/text/text_file.h"

#include <cmath>
#include <limits>
#include <optional>
#include <sys/stat.h>

namespace hotlane::cli {

namespace {

constexpr std::string_view kMagic = "heap profile:";
constexpr std::string_view kMaps = "MAPPED_LIBRARIES:";
constexpr const char* kHeader = "heap profile: LIVE: BYTES [ALL: BYTES] @ heap_v2/PERIOD";
constexpr const char* kEntry = "LIVE: BYTES [ALL: BYTES] @ ADDRESSES";
constexpr const char* kMapping = "a line of /proc/PID/maps, in ascending order";
constexpr size_t kLongestText = 4096;  // PATH_MAX
constexpr size_t kLongestBuildId = 128;
constexpr size_t kMostPoints = 100'000;

/// The numbers of "12: 3456 [78: 9012] @": samples of live objects and of all objects.
struct Samples {
    int64_t live_objects = 0;
    int64_t live_bytes = 0;
    int64_t objects = 0;
    int64_t bytes = 0;
};

bool read_samples(TextCursor& line, Samples& samples) {
    line.spaces();
    bool good = line.number(samples.live_objects) && line.literal(":");
    line.spaces();
    good = good && line.number(samples.live_bytes);
    line.spaces();
    good = good && line.literal("[");
    line.spaces();
    good = good && line.number(samples.objects) && line.literal(":");
    line.spaces();
    good = good && line.number(samples.bytes) && line.literal("]");
    line.spaces();
    // Objects without bytes, or bytes without objects, cannot be scaled.
    return good && line.literal("@") && (samples.live_objects == 0) == (samples.live_bytes == 0) &&
           (samples.objects == 0) == (samples.bytes == 0);
}

int64_t scaled(int64_t number, double by) {
    const double product = static_cast<double>(number) * by;
    constexpr auto kMost = static_cast<double>(std::numeric_limits<int64_t>::max());
    return product >= kMost ? std::numeric_limits<int64_t>::max() : std::llround(product);
}

/// Estimates the true numbers from samples with the mean interval `period`. An object of size s is sampled
/// with the probability 1 - exp(-s / period).
AllocationTotals::Amount estimate(int64_t objects, int64_t bytes, int64_t period) {
    if (objects == 0 || period <= 1) {
        return {objects, bytes, bytes};
    }
    const double size = static_cast<double>(bytes) / static_cast<double>(objects);
    const double probability = -std::expm1(-size / static_cast<double>(period));
    const int64_t estimated = scaled(bytes, 1 / probability);
    return {scaled(objects, 1 / probability), estimated, estimated};
}

bool read_whole_number(TextCursor line, int64_t& number) { return line.number(number) && line.at_end(); }

bool is_build_id(std::string_view text) {
    return !text.empty() && text.size() <= kLongestBuildId &&
           text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// The kernel escapes a newline as "\\012" and no other character.
std::string path_of_mapping(std::string_view text) {
    constexpr std::string_view kNewline = "\\012";
    std::string path;
    for (size_t found = 0; (found = text.find(kNewline)) != text.npos;
         text.remove_prefix(found + kNewline.size())) {
        path.append(text.substr(0, found)).append("\n");
    }
    return path.append(text);
}

class DumpReader {
  public:
    DumpReader(std::string_view text, const std::string& file) : text_{text}, file_{file} {}

    Dump read() {
        read_header();
        while (next_line() && line_ != kMaps) {
            if (line_.starts_with('#')) {
                read_comment();
            } else {
                after_entry_ = false;
                if (!line_.empty()) {
                    read_entry();
                }
            }
        }
        if (line_ != kMaps) {
            ++line_number_;
            expected(std::string{kMaps} + ", the file is cut off");
        }
        while (next_line()) {
            read_mapping();
        }
        if (dump_.mappings.empty()) {
            ++line_number_;
            expected(std::string{kMapping} + ", the file is cut off");
        }
        dump_.origin.has_peak =
            peaks_ == dump_.entries.size() && (peaks_ != 0 || dump_.origin.format >= kFormatWithPeak);
        return std::move(dump_);
    }

  private:
    [[noreturn]] void expected(const std::string& what) const {
        throw FileError{file_ + ":" + std::to_string(line_number_) + ": expected " + what};
    }

    bool next_line() {
        if (text_.empty()) {
            line_ = {};
            return false;
        }
        ++line_number_;
        const size_t end = text_.find('\n');
        if (end == std::string_view::npos) {
            expected("a whole line, the file is cut off");
        }
        line_ = text_.substr(0, end);
        text_.remove_prefix(end + 1);
        return true;
    }

    void read_header() {
        if (!next_line()) {
            ++line_number_;
            expected(kHeader);
        }
        TextCursor line{line_};
        Samples all;
        if (!line.literal(kMagic) || !read_samples(line, all) || !line.spaces()) {
            expected(kHeader);
        }
        // Dumps with exact counts have no period.
        const bool exact = line.rest() == "heapprofile";
        if (!exact && (!line.literal("heap_v2/") || !read_whole_number(line, dump_.origin.period) ||
                       dump_.origin.period == 0)) {
            expected(kHeader);
        }
    }

    void read_comment() {
        TextCursor line{line_};
        line.literal("#");
        line.spaces();
        if (line.literal("hotlane profile ")) {
            if (!read_whole_number(line, dump_.origin.format) || dump_.origin.format < 1) {
                expected("# hotlane profile NUMBER");
            }
            return;
        }
        const size_t colon = line.rest().find(": ");
        if (colon == std::string_view::npos) {
            return;
        }
        const std::string_view key = line.rest().substr(0, colon);
        const std::string_view value = line.rest().substr(colon + 2);
        if (key == "site") {
            if (!after_entry_ || !read_site_of(dump_.entries.back(), TextCursor{value})) {
                expected("# site: live=OBJECTS,BYTES,REQUESTED total=… of the entry before it");
            }
            after_entry_ = false;
        } else if (key == "class") {
            if (!read_class(TextCursor{value}, dump_.classes)) {
                expected("# class: SIZE hits=N misses=N puts=N");
            }
        } else if (key == "size") {
            if (!read_size(TextCursor{value}, dump_.sizes)) {
                expected("# size: SIZE requests=N live=N,BYTES peak=N,BYTES early=N");
            }
        } else if (key == "point") {
            if (dump_.timeline.size() == kMostPoints || !read_point(TextCursor{value}, dump_.timeline)) {
                expected("# point: TIME live=BYTES rss=BYTES requests=N misses=N, in order of time");
            }
        } else if (key == "thread") {
            if (!read_thread(TextCursor{value}, dump_.threads)) {
                expected("# thread: NUMBER NAME");
            }
        } else if (key == "build_id") {
            read_build_id(TextCursor{value});
        } else {
            read_origin(key, value);
        }
    }

    bool read_site_of(Dump::Entry& entry, TextCursor line) {
        bool has_peak = false;
        if (!read_site(line, entry, has_peak)) {
            return false;
        }
        peaks_ += has_peak ? 1 : 0;
        return true;
    }

    /// Reads "0x7f00 0123456789abcdef": a mapping's first address, and the build-id of its file.
    void read_build_id(TextCursor line) {
        uint64_t start = 0;
        if (!line.literal("0x") || !line.number(start, 16) || !line.spaces() || !is_build_id(line.rest())) {
            expected("# build_id: ADDRESS HEX");
        }
        build_ids_[start] = line.rest();
    }

    /// Reads a line of the dump's header. Unknown keys are ignored, because later versions may add some.
    void read_origin(std::string_view key, std::string_view value) {
        ProfileOrigin& origin = dump_.origin;
        const std::pair<std::string_view, std::string*> texts[] = {
            {"program", &origin.program}, {"reason", &origin.reason}, {"unwind", &origin.unwind}};
        for (const auto& [name, text] : texts) {
            if (key == name) {
                *text = cut_text(shown_text(value), kLongestText);
            }
        }
        const std::pair<std::string_view, int64_t*> numbers[] = {
            {"process", &origin.process},         {"time_ns", &origin.time_ns},
            {"duration_ns", &origin.duration_ns}, {"sequence", &origin.sequence},
            {"series", &origin.series},           {"samples", &origin.samples},
            {"size_step", &dump_.size_step},      {"lost_samples", &origin.lost_samples},
            {"begin_ns", &origin.begin_ns},       {"peak_ns", &origin.peak_ns}};
        for (const auto& [name, number] : numbers) {
            if (key == name && !read_whole_number(TextCursor{value}, *number)) {
                expected("# " + std::string{key} + ": NUMBER");
            }
        }
    }

    void read_entry() {
        TextCursor line{line_};
        Samples samples;
        if (!read_samples(line, samples)) {
            expected(kEntry);
        }
        Dump::Entry entry;
        while (line.spaces() && !line.at_end()) {
            uint64_t address = 0;
            if (!line.literal("0x") || !line.number(address, 16)) {
                expected(kEntry);
            }
            entry.addresses.push_back(address);
        }
        if (!line.at_end() || entry.addresses.empty()) {
            expected(kEntry);
        }
        const int64_t period = dump_.origin.period;
        entry.totals.live = estimate(samples.live_objects, samples.live_bytes, period);
        entry.totals.cumulative = estimate(samples.objects, samples.bytes, period);
        dump_.entries.push_back(std::move(entry));
        after_entry_ = true;
    }

    /// Reads "7f00-7f01 r-xp 00001000 08:01 123   /usr/lib/libx.so".
    void read_mapping() {
        TextCursor line{line_};
        Dump::Mapping mapping;
        const bool addresses = line.number(mapping.start, 16) && line.literal("-") &&
                               line.number(mapping.end, 16) && line.spaces();
        const uint64_t least = dump_.mappings.empty() ? 0 : dump_.mappings.back().end;
        if (!addresses || mapping.start < least || mapping.end <= mapping.start) {
            expected(kMapping);
        }
        line.word();  // permissions
        if (!line.spaces() || !line.number(mapping.offset, 16) || !line.spaces() || line.word().empty() ||
            !line.spaces() || !line.number(mapping.inode)) {
            expected(kMapping);
        }
        line.spaces();
        mapping.path = path_of_mapping(line.rest());
        if (const auto found = build_ids_.find(mapping.start); found != build_ids_.end()) {
            mapping.build_id = found->second;
        }
        dump_.mappings.push_back(std::move(mapping));
    }

    std::string_view text_;  // the rest of the file
    const std::string& file_;
    std::string_view line_;
    size_t line_number_ = 0;
    bool after_entry_ = false;  // the previous line was an entry
    size_t peaks_ = 0;          // entries whose peak is known
    std::map<uint64_t, std::string> build_ids_;
    Dump dump_;
};

}  // namespace

Dump parse_dump(std::string_view text, const std::string& file) { return DumpReader{text, file}.read(); }

Dump read_dump(const std::string& file) {
    Dump dump = parse_dump(read_file(file, kMagic), file);
    if (struct stat status{}; stat(file.c_str(), &status) == 0) {
        dump.owner = status.st_uid;
    }
    return dump;
}

}  // namespace hotlane::cli
