// SPDX-License-Identifier: MIT
// Trap: systemd and _FORTIFY_SOURCE=3 treat the result of malloc_usable_size as the object's size, and write
// up to it.
// It must be at least the requested size and the same at each call, and every byte of it must belong to that
// object alone.
#include "check.h"

#include <malloc.h>

enum { kNeighbours = 8 };

static void check(size_t size) {
    void* objects[kNeighbours];
    size_t usable[kNeighbours];
    for (unsigned i = 0; i < kNeighbours; ++i) {
        objects[i] = malloc(size);
        CHECK(objects[i], "malloc(%zu) failed", size);
        usable[i] = malloc_usable_size(objects[i]);
        CHECK(usable[i] >= size, "usable size of %zu bytes is %zu", size, usable[i]);
        pattern_fill(objects[i], usable[i], i * 29);
    }
    for (unsigned i = 0; i < kNeighbours; ++i) {
        CHECK(malloc_usable_size(objects[i]) == usable[i], "usable size of %zu bytes was %zu, is %zu", size,
              usable[i], malloc_usable_size(objects[i]));
        pattern_check(objects[i], usable[i], i * 29);
        free(objects[i]);
    }
}

int main(void) {
    CHECK(malloc_usable_size(NULL) == 0, "malloc_usable_size(null) is %zu", malloc_usable_size(NULL));
    for (size_t size = 0; size <= 2100; ++size) {
        check(size);
    }
    for (size_t size = 2100; size <= 140000; size += 1 + size / 40) {
        check(size);
        check(size / 64 * 64);
    }
    check(65536);
    check(65537);
    check(3 << 20);
    return 0;
}
