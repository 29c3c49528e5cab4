// SPDX-License-Identifier: MIT
// The kernel makes 64 KiB of a file resident at once. A library whose common functions are spread over its code makes
// most of it resident in each small process, and takes a page fault for each part.
// After ordinary requests, at most a quarter of the library's code may be resident.
#include "check.h"

#include <pthread.h>

enum { kObjects = 2000 };

static void* use_heap(void* unused) {
    static void* objects[kObjects];
    for (size_t i = 0; i < kObjects; ++i) {
        objects[i] = opaque(malloc(16 + i % 500 * 8));
    }
    for (size_t i = 0; i < kObjects; ++i) {
        objects[i] = opaque(realloc(objects[i], 8 + i % 300 * 16));
    }
    for (size_t i = 0; i < kObjects; ++i) {
        free(objects[i]);
    }
    free(opaque(calloc(1000, 100)));
    return unused;
}

int main(void) {
    use_heap(NULL);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, use_heap, NULL) == 0, "no thread");
    pthread_join(thread, NULL);

    FILE* maps = fopen("/proc/self/smaps", "re");
    CHECK(maps, "cannot read smaps");
    char line[512];
    int is_code = 0;
    long size = 0;
    while (fgets(line, sizeof line, maps)) {
        long kib = 0;
        if (strstr(line, " r-xp ") || strstr(line, " r--p ") || strstr(line, " rw-p ")) {
            is_code = strstr(line, " r-xp ") && strstr(line, "libhotlane");
        } else if (is_code && sscanf(line, "Size: %ld kB", &kib) == 1) {
            size = kib;
        } else if (is_code && sscanf(line, "Rss: %ld kB", &kib) == 1) {
            CHECK(kib <= size / 4, "%ld of %ld KiB of code are resident", kib, size);
        }
    }
    fclose(maps);
    return 0;
}
