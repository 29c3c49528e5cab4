// SPDX-License-Identifier: MIT
// Trap: two objects in one cache line slow each other down when different threads write them.
// malloc, calloc and realloc must align every object of up to 64 KiB to 64 bytes, and larger ones to 16.
#include "check.h"

static void check(const char* name, void* object, size_t size) {
    const size_t alignment = size <= 65536 ? 64 : 16;
    CHECK(object, "%s(%zu) failed", name, size);
    CHECK((uintptr_t)object % alignment == 0, "%s(%zu) gave %p, not aligned to %zu", name, size, object,
          alignment);
}

int main(void) {
    for (size_t size = 0; size <= 70000; ++size) {
        void* first = malloc(size);
        void* second = calloc(1, size);
        void* third = realloc(malloc(1), size ? size : 1);
        check("malloc", first, size);
        check("calloc", second, size);
        check("realloc", third, size);
        free(first);
        free(second);
        free(third);
    }
    for (size_t size = 70000; size < 32 << 20; size += size / 3) {
        void* object = malloc(size);
        check("malloc", object, size);
        free(object);
    }
    return 0;
}
