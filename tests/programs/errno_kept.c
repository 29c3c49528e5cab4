// SPDX-License-Identifier: MIT
// Trap: free may call munmap or madvise, and cleaning up after an error must not change which error it was.
// free must leave errno alone for every size, and for so many objects that flushes and purges happen too.
#include "check.h"

#include <malloc.h>

enum { kObjects = 3000 };

int main(void) {
    static void* objects[kObjects];
    errno = 1000;
    free(NULL);
    CHECK(errno == 1000, "free(null) set errno to %d", errno);
    for (size_t size = 8; size <= 1 << 20; size *= 2) {
        const int count = size <= 65536 ? kObjects : 50;
        for (int i = 0; i < count; ++i) {
            objects[i] = malloc(size);
            CHECK(objects[i], "malloc(%zu) failed", size);
            *(char*)objects[i] = 1;
        }
        for (int i = 0; i < count; ++i) {
            errno = i + 1;
            free(objects[i]);
            CHECK(errno == i + 1, "free of %zu bytes set errno to %d", size, errno);
        }
        errno = 77;
        malloc_trim(0);
        void* object = opaque(malloc(size));
        errno = 78;
        free(object);
        CHECK(errno == 78, "free after malloc_trim set errno to %d", errno);
    }
    return 0;
}
