// SPDX-License-Identifier: MIT
// What the manual promises for every request: alignment, distinct objects, zeroed memory, contents, errno.
#include "outside.h"

#include <malloc.h>

static int aligned(const void* object, size_t alignment) {
    return object && (uintptr_t)object % alignment == 0;
}

static void sizes(void) {
    int good = 0, usable = 0;
    for (size_t size = 0; size < 70000; size += size < 2000 ? 1 : 997) {
        void* object = malloc(size);
        good += aligned(object, 16);
        usable += malloc_usable_size(object) >= size;
        memset(object, 1, malloc_usable_size(object));
        free(object);
    }
    SAY("sizes: aligned %d, usable %d\n", good, usable);
}

static void alignments(void) {
    int good = 0;
    for (size_t alignment = 16; alignment <= 64UL << 20; alignment *= 2) {
        void* objects[4] = {memalign(alignment, 100), aligned_alloc(alignment, alignment), NULL,
                            memalign(alignment, 100000)};
        good += posix_memalign(&objects[2], alignment, 1) == 0;
        for (int i = 0; i < 4; ++i) {
            good += aligned(objects[i], alignment);
            memset(objects[i], 2, 1);
            objects[i] = realloc(objects[i], 5000);
            good += *(char*)objects[i] == 2;
            free(objects[i]);
        }
    }
    void* page = valloc(1);
    void* pages = pvalloc(4097);
    SAY("alignments: %d, valloc: %d, pvalloc: %d, whole pages: %d\n", good, aligned(page, 4096),
        aligned(pages, 4096), malloc_usable_size(pages) >= 8192);
    free(page);
    free(pages);
    // An alignment that is not a power of two is rounded up to one.
    volatile size_t no_power = 3000;  // volatile: clang refuses such a constant
    int rounded = 0;
    void* held[20];  // all at once, because the first one in a page is always aligned
    for (int i = 0; i < 20; ++i) {
        held[i] = memalign(no_power, 100);
        rounded += aligned(held[i], 4096);
    }
    for (int i = 0; i < 20; ++i) {
        free(held[i]);
    }
    SAY("memalign of 3000: %d\n", rounded);
}

static void zeroes(void) {
    int good = 0;
    for (size_t size = 1; size < 3 << 20; size = size * 2 + 3) {
        for (int round = 0; round < 3; ++round) {
            unsigned char* object = (unsigned char*)calloc(1, size);
            size_t set = 0;
            for (size_t i = 0; i < size; ++i) {
                set += object[i] != 0;
            }
            good += set == 0;
            memset(object, 0xff, size);
            free(object);
        }
    }
    SAY("zeroes: %d\n", good);
}

static void contents(void) {
    unsigned char* object = NULL;
    int good = 0;
    size_t before = 0;
    for (size_t size = 1; size < 10 << 20; size = size * 3 / 2 + 1) {
        object = (unsigned char*)realloc(object, size);
        for (size_t i = 0; i < before; i += 1 + before / 1000) {
            good += object[i] == 5;
        }
        memset(object, 5, size);
        before = size;
    }
    while (before > 1) {
        before /= 3;
        object = (unsigned char*)realloc(object, before + 1);
        good += object[before] == 5 && object[0] == 5;
    }
    SAY("contents kept: %d\n", good);
    free(object);
}

int main(void) {
    sizes();
    alignments();
    zeroes();
    contents();
    void* empty[2] = {malloc(0), malloc(0)};
    SAY("empty ones: %d, distinct: %d\n", empty[0] && empty[1], empty[0] != empty[1]);
    SAY("realloc to 0: %d\n", realloc(opaque(empty[0]), 0) != NULL);
    free(empty[1]);
    errno = 1234;
    free(opaque(malloc(100)));
    free(opaque(malloc(100 << 20)));
    free(NULL);
    SAY("errno after free: %d\n", errno);
    return 0;
}
