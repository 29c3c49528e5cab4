// SPDX-License-Identifier: MIT
//
// Reads the options from the environment and from the file of HOTLANE_CONFIG. This runs inside the first
// request of the process, so it neither allocates nor uses stdio.
#include "base/errno_saver.h"
#include "options/config.h"
#include "platform/environment.h"
#include "platform/os.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace hotlane {

namespace {

constexpr size_t kLongestFile = 64 * KiB;
constexpr size_t kLongestLine = 1024;
/// After this many mistakes the rest of a file is ignored: it is probably not a file of options.
constexpr unsigned kMostMistakes = 8;

/// Takes settings from one source after the other. A setting of an earlier source wins.
class OptionReader {
  public:
    OptionReader(Config& config, bool preloaded) : config_{config} {
        defaults_.stats = preloaded ? StatsFormat::text : StatsFormat::off;
        config_ = defaults_;
    }

    void read_environment();
    void read_file(const char* path);

  private:
    /// Where a setting stands. `place` precedes every message about it.
    struct Place {
        std::string_view place;
        bool in_file;
    };

    bool set(const Place& at, std::string_view name, std::string_view value);
    bool set_again(const Place& at, const Option& option) const;
    void report_invalid(const Place& at, const Option& option, std::string_view value) const;
    void read_lines(int fd, const char* path);
    bool read_line(const char* path, size_t number, std::string_view line);

    Config& config_;
    Config defaults_;
    uint64_t seen_before_ = 0;  // a bit for each option that an earlier source sets
    uint64_t seen_ = 0;         // the same for the source that is being read
};

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && is_blank(text.front())) {
        text.remove_prefix(1);
    }
    while (!text.empty() && is_blank(text.back())) {
        text.remove_suffix(1);
    }
    return text;
}

void OptionReader::report_invalid(const Place& at, const Option& option, std::string_view value) const {
    char what[256];
    Writer expected{what, sizeof what};
    expected.text("\": expected ");
    print_expected(expected, option);
    expected.text("; using ");
    const size_t before = expected.bytes_written();
    print_value(expected, option, defaults_);
    expected.text(expected.bytes_written() == before ? "none" : "");
    char name[32];
    Writer full{name, sizeof name};
    full.text(kOptionPrefix).text(option.name).text("=\"");
    message(at.place, {name, full.bytes_written()}, value, {what, expected.bytes_written()});
}

/// Returns true when the setting counts. A second one in a file is a mistake. In the environment it may come
/// from outside the user's control, and the first counts, as with getenv.
bool OptionReader::set_again(const Place& at, const Option& option) const {
    if (at.in_file) {
        message(at.place, kOptionPrefix, option.name, " is set twice; the first value counts");
    }
    return !at.in_file;
}

/// Returns false when the setting is a mistake, which is reported.
bool OptionReader::set(const Place& at, std::string_view name, std::string_view value) {
    const Option* option = find_option(name);
    if (const Option* renamed = option_formerly_called(name); renamed != nullptr) {
        char what[80];
        Writer text{what, sizeof what};
        text.text(" is not an option any more; it is called ").text(kOptionPrefix).text(renamed->name);
        message(at.place, kOptionPrefix, name, {what, text.bytes_written()});
        return false;
    }
    if (option == nullptr) {
        char what[80];
        Writer text{what, sizeof what};
        text.text(" is not an option; the closest is ").text(kOptionPrefix).text(closest_option(name).name);
        message(at.place, kOptionPrefix, name, {what, text.bytes_written()});
        return false;
    }
    if (at.in_file && option->offset == offsetof(Config, config_file)) {
        message(at.place, kOptionPrefix, option->name, " cannot be set in a file");
        return false;
    }
    const uint64_t bit = uint64_t{1} << (option - options().data());
    if ((seen_ & bit) != 0) {
        return set_again(at, *option);
    }
    seen_ |= bit;
    if ((seen_before_ & bit) == 0 && !set_option(config_, *option, value)) {
        report_invalid(at, *option, value);
        return false;
    }
    return true;
}

void OptionReader::read_environment() {
    const char* const* entry = environment_list();
    for (; entry != nullptr && *entry != nullptr; ++entry) {
        if (strncmp(*entry, kOptionPrefix.data(), kOptionPrefix.size()) == 0) {
            const std::string_view variable{*entry + kOptionPrefix.size()};
            const size_t equals = variable.find('=');
            const size_t length = equals == variable.npos ? variable.size() : equals;
            const size_t skipped = equals == variable.npos ? length : length + 1;
            set({.place = {}, .in_file = false}, {variable.data(), length},
                {variable.data() + skipped, variable.size() - skipped});
        }
    }
    seen_before_ = seen_;
    seen_ = 0;
}

/// Returns false when the line is a mistake, which is reported.
bool OptionReader::read_line(const char* path, size_t number, std::string_view line) {
    line = trimmed(line);
    if (line.empty() || line.front() == '#') {
        return true;
    }
    char memory[Config::kPathCapacity + 32];
    Writer text{memory, sizeof memory};
    text.text(path).text(":").number(number).text(": ");
    const Place at{.place = {memory, text.bytes_written()}, .in_file = true};
    const size_t equals = std::min(line.find('='), line.size());
    const std::string_view name = trimmed({line.data(), equals});
    if (equals == line.size() || name.size() <= kOptionPrefix.size() || !name.starts_with(kOptionPrefix) ||
        line.find('\0') != line.npos) {
        message(at.place, "expected ", kOptionPrefix, "NAME=VALUE, a comment after #, or an empty line");
        return false;
    }
    return set(at, {name.data() + kOptionPrefix.size(), name.size() - kOptionPrefix.size()},
               trimmed({line.data() + equals + 1, line.size() - equals - 1}));
}

void OptionReader::read_lines(int fd, const char* path) {
    char memory[kLongestLine];
    size_t held = 0;
    size_t number = 1;
    size_t total = 0;
    unsigned mistakes = 0;
    bool at_end = false;
    while (!at_end || held != 0) {
        const auto* newline = static_cast<const char*>(memchr(memory, '\n', held));
        if (newline == nullptr && !at_end && held < sizeof memory && total <= kLongestFile) {
            const long count = os::read_some(fd, memory + held, sizeof memory - held);
            if (count < 0) {
                message("cannot read the options in ", path, ": ", os::error_text());
                return;
            }
            at_end = count == 0;
            held += static_cast<size_t>(count);
            total += static_cast<size_t>(count);
            continue;
        }
        if (newline == nullptr && !at_end) {
            message(path, ": a line is longer than 1023 bytes, or the file than 64K; the rest is ignored");
            return;
        }
        const size_t length = newline == nullptr ? held : static_cast<size_t>(newline - memory);
        mistakes += read_line(path, number++, {memory, length}) ? 0 : 1;
        if (mistakes == kMostMistakes) {
            message(path, " has too many mistakes for a file of options; the rest is ignored");
            return;
        }
        const size_t used = newline == nullptr ? held : length + 1;
        held -= used;
        memmove(memory, memory + used, held);
    }
}

void OptionReader::read_file(const char* path) {
    const ErrnoSaver keep;
    const int fd = os::open_for_reading(path);
    if (fd < 0) {
        message("cannot read the options in ", path, ": ", os::error_text());
        return;
    }
    constexpr unsigned kWritableByAll = 0002;
    const os::FileStatus status = os::descriptor_status(fd);
    if (status.kind != os::FileKind::regular) {
        message("cannot read the options in ", path, ": not a regular file");
    } else if ((status.permissions & kWritableByAll) != 0) {
        message("the options in ", path, " are ignored: every user can write the file");
    } else {
        read_lines(fd, path);
    }
    os::close_file(fd);
}

}  // namespace

void read_config(Config& config, bool preloaded) {
    OptionReader reader{config, preloaded};
    reader.read_environment();
    if (config.config_file[0] != '\0') {
        reader.read_file(config.config_file);  // the file cannot change this option
    }
}

}  // namespace hotlane
