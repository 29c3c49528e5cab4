// SPDX-License-Identifier: MIT
// Trap: an allocator that starts a thread, keeps a descriptor open or loads a C++ runtime changes programs
// that never asked for it.
// A C program on hotlane must have one thread, three descriptors, and no library but libc and hotlane's.
#include "check.h"

#include <dirent.h>

static int entries(const char* path) {
    DIR* directory = opendir(path);
    CHECK(directory, "cannot open %s", path);
    int count = 0;
    for (struct dirent* entry; (entry = readdir(directory));) {
        count += entry->d_name[0] != '.';
    }
    closedir(directory);
    return count;
}

int main(void) {
    free(opaque(malloc(100)));
    free(opaque(malloc(1 << 20)));
    static const char* const unwanted[] = {"libstdc++", "libjemalloc", "libgcc_s",
                                           "libunwind", "libm.so",     "libdw"};
    for (size_t i = 0; i < sizeof unwanted / sizeof *unwanted; ++i) {
        CHECK(!is_mapped(unwanted[i]), "%s is loaded", unwanted[i]);
    }
    CHECK(entries("/proc/self/task") == 1, "%d threads", entries("/proc/self/task"));
    for (int descriptor = 3; descriptor < 64; ++descriptor) {
        char path[64];
        char target[256] = "";
        snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
        CHECK(readlink(path, target, sizeof target - 1) < 0 || strstr(target, "/proc/self") ||
                  strncmp(target, "/", 1),
              "descriptor %d is open on %s", descriptor, target);
    }
    return 0;
}
