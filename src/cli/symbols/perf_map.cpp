// SPDX-License-Identifier: MIT
//
// Reads perf's maps of generated code.
#include "cli/symbols/perf_map.h"

#include "cli/text/text_cursor.h"
#include "cli/text/text_file.h"

#include <cstdio>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace hotlane::cli {

namespace {

constexpr size_t kMostBytes = size_t{256} << 20;

/// A descriptor that is closed at the end.
struct OpenFile {
    explicit OpenFile(const char* path) : fd{open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)} {}
    ~OpenFile() {
        if (fd >= 0) {
            close(fd);
        }
    }
    OpenFile(const OpenFile&) = delete;
    OpenFile& operator=(const OpenFile&) = delete;

    std::string read_all(size_t size) const {
        std::string text(size, '\0');
        size_t used = 0;
        for (ssize_t count = 0; used < size && (count = read(fd, text.data() + used, size - used)) > 0;) {
            used += static_cast<size_t>(count);
        }
        text.resize(used);
        return text;
    }

    int fd;
};

/// Removes ":NUMBER" from the end of the text.
bool take_number(std::string_view& text, int64_t& number) {
    const size_t colon = text.rfind(':');
    TextCursor digits{colon == std::string_view::npos ? std::string_view{} : text.substr(colon + 1)};
    const bool good = digits.number(number) && digits.at_end();
    text = good ? text.substr(0, colon) : text;
    return good;
}

PerfMap::Function function_of(std::string_view name) {
    constexpr std::string_view kPython = "py::";
    const size_t colon = name.rfind(':');
    if (name.starts_with(kPython) && colon > kPython.size()) {
        return {0, std::string{name.substr(0, colon)}, std::string{name.substr(colon + 1)}};
    }
    const size_t space = name.find(' ');
    std::string_view place = space == std::string_view::npos ? std::string_view{} : name.substr(space + 1);
    int64_t line = 0;
    int64_t column = 0;
    if (take_number(place, column) && take_number(place, line) && !place.empty()) {
        return {0, std::string{name.substr(0, space)}, std::string{place}, line};
    }
    return {0, std::string{name}};
}

}  // namespace

PerfMap::PerfMap(std::string_view text) {
    while (!text.empty()) {
        const size_t newline = text.find('\n');
        if (newline == std::string_view::npos) {
            break;  // not written to its end
        }
        TextCursor line{text.substr(0, newline)};
        text.remove_prefix(newline + 1);
        uint64_t start = 0;
        uint64_t size = 0;
        line.literal("0x");
        if (line.number(start, 16) && line.spaces() && line.number(size, 16) && line.spaces() && size != 0 &&
            start <= UINT64_MAX - size && !line.at_end()) {
            add(start, start + size, line.rest());
        }
    }
}

void PerfMap::add(uint64_t start, uint64_t end, std::string_view name) {
    auto next = functions_.upper_bound(start);
    if (next != functions_.begin() && std::prev(next)->second.end > start) {
        --next;
    }
    while (next != functions_.end() && next->first < end) {
        next = functions_.erase(next);
    }
    functions_[start] = function_of(name);
    functions_[start].end = end;
}

const PerfMap::Function* PerfMap::function_at(uint64_t address) const {
    const auto after = functions_.upper_bound(address);
    if (after == functions_.begin() || std::prev(after)->second.end <= address) {
        return nullptr;
    }
    return &std::prev(after)->second;
}

PerfMap read_perf_map(const std::string& file) { return PerfMap{read_file_up_to(file, kMostBytes)}; }

PerfMap perf_map_of(int64_t process, uid_t owner, int64_t begin_ns) {
    constexpr int64_t kSecond = 1'000'000'000;
    const OpenFile file{("/tmp/perf-" + std::to_string(process) + ".map").c_str()};
    struct stat status {};
    if (process <= 0 || begin_ns <= 0 || file.fd < 0 || fstat(file.fd, &status) != 0 ||
        !S_ISREG(status.st_mode) || (status.st_uid != geteuid() && status.st_uid != owner) ||
        status.st_mtim.tv_sec < begin_ns / kSecond || static_cast<uint64_t>(status.st_size) > kMostBytes) {
        return {};
    }
    return PerfMap{file.read_all(static_cast<size_t>(status.st_size))};
}

}  // namespace hotlane::cli
