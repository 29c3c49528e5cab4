// SPDX-License-Identifier: MIT
// Trap: an object that moves between a small class, a large one and the fallback loses its tail, or the slack
// of its alignment.
// It must keep as much of its contents as fits through every size: growing, shrinking and at random.
#include "check.h"

#include <malloc.h>

static void* resize(void* object, size_t old_size, size_t new_size) {
    object = realloc(object, new_size);
    CHECK(object, "realloc to %zu failed", new_size);
    CHECK(malloc_usable_size(object) >= new_size, "realloc to %zu: usable %zu", new_size,
          malloc_usable_size(object));
    pattern_check(object, old_size < new_size ? old_size : new_size, 1);
    pattern_fill(object, new_size, 1);
    return object;
}

int main(void) {
    size_t size = 1;
    void* object = malloc(size);
    pattern_fill(object, size, 1);
    for (; size < 5000; ++size) {
        object = resize(object, size, size + 1);
    }
    for (size_t next; size < 4 << 20; size = next) {
        next = size + size / 7;
        object = resize(object, size, next);
    }
    for (size_t next; size > 1; size = next) {
        next = size - size / 5 - 1;
        next = next ? next : 1;
        object = resize(object, size, next);
    }
    uint64_t random = 88172645463325252u;
    for (int i = 0; i < 2000; ++i) {
        const size_t next = next_random(&random) % ((size_t)1 << (4 + next_random(&random) % 16)) + 1;
        object = resize(object, size, next);
        size = next;
    }
    free(object);
    return 0;
}
