// SPDX-License-Identifier: MIT
// Reads what the kernel reports about this process into static memory, because reading it must not disturb
// the heap under test.
#include "check.h"

#include <fcntl.h>

static char text[1 << 20];

static void read_text(const char* path) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    CHECK(file >= 0, "cannot open %s", path);
    size_t used = 0;
    for (ssize_t got = 1; got > 0 && used < sizeof text - 1; used += (size_t)(got > 0 ? got : 0)) {
        got = read(file, text + used, sizeof text - 1 - used);
    }
    text[used] = '\0';
    close(file);
}

size_t status_kib(const char* key) {
    read_text("/proc/self/status");
    const char* line = strstr(text, key);
    CHECK(line, "no %s in /proc/self/status", key);
    return strtoul(line + strlen(key), NULL, 10);
}

size_t map_count(void) {
    read_text("/proc/self/maps");
    size_t lines = 0;
    for (const char* at = text; (at = strchr(at, '\n')); ++at) {
        ++lines;
    }
    return lines;
}

int is_mapped(const char* name) {
    read_text("/proc/self/maps");
    return strstr(text, name) != NULL;
}
