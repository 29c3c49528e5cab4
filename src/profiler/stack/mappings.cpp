// SPDX-License-Identifier: MIT
//
// Parses /proc/self/maps.
#include "profiler/stack/mappings.h"

#include "platform/os.h"

#include <algorithm>
#include <cstring>

namespace hotlane::inspect {

namespace {

/// Parses a number and skips the character after it.
uint64_t number(const char*& text, unsigned base) {
    uint64_t number = 0;
    for (;; ++text) {
        const char c = *text;
        const unsigned digit = c >= '0' && c <= '9'   ? static_cast<unsigned>(c - '0')
                               : c >= 'a' && c <= 'f' ? static_cast<unsigned>(c - 'a') + 10
                                                      : base;
        if (digit >= base) {
            text += c != '\0' ? 1 : 0;
            return number;
        }
        number = number * base + digit;
    }
}

/// Parses a line such as "7f00-7f01 r-xp 00001000 08:01 12  /usr/lib/x.so".
Mapping parsed(const char* line) {
    constexpr unsigned kHex = 16;
    Mapping mapping;
    mapping.range.begin = number(line, kHex);
    mapping.range.end = number(line, kHex);
    if (strlen(line) < sizeof "r-xp") {
        return mapping;
    }
    mapping.readable = line[0] == 'r';
    mapping.executable = line[2] == 'x';
    line += sizeof "r-xp";
    mapping.offset = number(line, kHex);
    const uint64_t major = number(line, kHex);
    const uint64_t minor = number(line, kHex);
    const uint64_t inode = number(line, 10);
    mapping.file = inode == 0 ? 0 : inode ^ major << 56 ^ minor << 40;
    while (*line == ' ') {
        ++line;
    }
    mapping.path = line;
    return mapping;
}

}  // namespace

void for_each_mapping(void (*visit)(const Mapping& mapping, void* context), void* context) {
    const int maps = os::open_for_reading("/proc/self/maps");
    if (maps < 0) {
        return;
    }
    char line[1000] = {};
    size_t length = 0;
    char bytes[1024];
    for (long count = 0; (count = os::read_some(maps, bytes, sizeof bytes)) > 0;) {
        for (long i = 0; i < count; ++i) {
            if (bytes[i] != '\n') {
                line[length] = bytes[i];
                length = std::min(length + 1, sizeof line - 1);
                continue;
            }
            line[length] = '\0';
            length = 0;
            visit(parsed(line), context);
        }
    }
    os::close_file(maps);
}

}  // namespace hotlane::inspect
