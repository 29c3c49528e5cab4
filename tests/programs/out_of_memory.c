// SPDX-License-Identifier: MIT
// Trap: a size that overflows when it is multiplied, rounded up or aligned becomes a small one, and is
// served.
// Every overflow and every size above PTRDIFF_MAX must give null with ENOMEM and leave the old object alone.
// Afterwards everything works as before.
#include "check.h"

#include <malloc.h>

static void* volatile result;

#define REFUSES(call)                                                                                        \
    do {                                                                                                     \
        errno = 0;                                                                                           \
        result = (call);                                                                                     \
        CHECK(result == NULL && errno == ENOMEM, "%s gave %p, errno %d", #call, result, errno);              \
    } while (0)

static void refuse(size_t size) {
    REFUSES(malloc(size));
    REFUSES(calloc(1, size));
    REFUSES(calloc(size, 1));
    REFUSES(realloc(NULL, size));
    REFUSES(valloc(size));
    REFUSES(pvalloc(size));
    REFUSES(memalign(16, size));
    REFUSES(memalign(4096, size));
    REFUSES(aligned_alloc(1 << 21, size));
    void* object = &object;
    errno = 123;
    CHECK(posix_memalign(&object, 64, size) == ENOMEM, "posix_memalign(64, %zu) is served", size);
    CHECK(object == &object && errno == 123, "posix_memalign wrote %p and errno %d on error", object, errno);
    for (size_t old_size = 10; old_size < 1 << 20; old_size *= 10) {
        void* old = malloc(old_size);
        pattern_fill(old, old_size, 7);
        REFUSES(realloc(old, size));
        REFUSES(reallocarray(old, size, 1));
        REFUSES(reallocarray(old, size / 2 + 1, 4));
        pattern_check(old, old_size, 7);
        free(old);
    }
}

int main(void) {
    volatile size_t largest = SIZE_MAX;  // volatile: gcc would warn about this constant, or fold it
    for (size_t below = 0; below < 5000; below += 1 + below / 2) {
        refuse(largest - below);
        refuse((largest >> 1) + 1 + below);
    }
    volatile size_t half = (size_t)1 << 32;
    REFUSES(calloc(half, half));
    REFUSES(calloc(half + 1, half - 1));
    REFUSES(calloc(largest, 2));
    REFUSES(calloc(largest / 3 + 1, 3));
    REFUSES(reallocarray(NULL, half, half));
    REFUSES(memalign(half << 30, 1));
    void* object = malloc(100);
    CHECK(object, "malloc(100) fails after requests that had to");
    free(object);
    return 0;
}
