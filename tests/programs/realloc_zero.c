// SPDX-License-Identifier: MIT
// Trap: realloc(p, 0) is undefined in C23, returns a minimal object in some allocators, and frees in glibc,
// on which old programs rely. It must free, return null, and leave errno alone.
#include "check.h"

// With an argument, the object freed last need not be the next one handed out.
int main(int count, char** arguments) {
    (void)arguments;
    for (size_t size = 1; size <= 65536; size *= 4) {
        void* object = opaque(malloc(size));
        errno = 42;
        CHECK(realloc(object, 0) == NULL, "realloc(p, 0) of %zu bytes is not null", size);
        CHECK(errno == 42, "realloc(p, 0) set errno to %d", errno);
        void* again = opaque(malloc(size));
        CHECK(again == object || count > 1, "%zu bytes: the object freed last is not the next one handed out",
              size);
        free(again);
    }
    const size_t before = status_kib("VmRSS:");
    for (int i = 0; i < 200; ++i) {
        char* object = malloc(4 << 20);
        memset(object, i, 4 << 20);
        CHECK(realloc(object, 0) == NULL, "realloc(p, 0) of 4 MiB is not null");
    }
    const size_t after = status_kib("VmRSS:");
    CHECK(after < before + (64 << 10), "resident memory went from %zu to %zu KiB", before, after);
    return 0;
}
