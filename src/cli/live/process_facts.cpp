// SPDX-License-Identifier: MIT
//
// Reads facts about a process from /proc.
#include "cli/live/process_facts.h"

#include "cli/text/shown_text.h"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <unistd.h>

namespace hotlane::cli {

namespace {

std::ifstream proc_file(int64_t process, const char* name) {
    return std::ifstream{"/proc/" + std::to_string(process) + "/" + name};
}

}  // namespace

uint64_t resident_bytes(int64_t process) {
    uint64_t size = 0;
    uint64_t resident = 0;
    proc_file(process, "statm") >> size >> resident;
    return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

// A line is "NUMBER:CONTROLLERS:PATH". The unified hierarchy has the number 0; without it, any line will do.
std::string control_group(int64_t process) {
    constexpr size_t kLongest = 256;
    std::ifstream file = proc_file(process, "cgroup");
    std::string group;
    for (std::string line; std::getline(file, line);) {
        const size_t path = line.find(":/");
        if (path != std::string::npos && (group.empty() || line.starts_with("0:"))) {
            group = line.substr(path + 1);
        }
    }
    return keep_end(shown_text(group), kLongest);
}

std::string container_in(const std::string& group) {
    constexpr size_t kDigits = 64;
    size_t count = 0;
    for (size_t end = group.size(); end > 0; --end) {
        const auto c = static_cast<unsigned char>(group[end - 1]);
        count = std::isxdigit(c) != 0 ? count + 1 : 0;
        if (count == kDigits) {
            return group.substr(end - 1, kDigits);
        }
    }
    return {};
}

}  // namespace hotlane::cli
