// SPDX-License-Identifier: MIT
// A page of a library that is written when the process starts costs a page fault, a copy and 4 KiB of memory. Tables of
// pointers, which the dynamic linker sets, and variables that are spread over the library cost one each, even in a process
// that allocates nothing.
// Before the first request, at most four pages of the library may have been written.
#include "check.h"

#include <fcntl.h>

static char smaps[1 << 18];

int main(void) {
    const int file = open("/proc/self/smaps", O_RDONLY | O_CLOEXEC);
    CHECK(file >= 0, "cannot open smaps");
    size_t length = 0;
    for (ssize_t more; (more = read(file, smaps + length, sizeof smaps - 1 - length)) > 0;) {
        length += (size_t)more;
    }
    close(file);
    long written = 0;
    int mappings = 0;
    int is_library = 0;
    for (char* line = strtok(smaps, "\n"); line; line = strtok(NULL, "\n")) {
        long kib = 0;
        if (strstr(line, " r-xp ") || strstr(line, " r--p ") || strstr(line, " rw-p ") ||
            strstr(line, " ---p ")) {
            is_library = strstr(line, "libhotlane") != NULL;
            mappings += is_library;
        } else if (is_library && sscanf(line, "Anonymous: %ld kB", &kib) == 1) {
            written += kib;
        }
    }
    CHECK(mappings >= 3, "the library has %d mappings", mappings);
    const long pages = written * 1024 / sysconf(_SC_PAGESIZE);
    CHECK(pages <= 4, "%ld pages of the library were written at start", pages);
    return 0;
}
