/* SPDX-License-Identifier: MIT
 * Buffers lie at multiples of 64 with every table of size classes, also of sizes that are no multiples of 64.
 * Compilers may rely on it (assume_aligned), so the address passes through a volatile variable first. */
#include "hotlane/hotlane.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPECT(condition)                                                                                    \
    ((condition)                                                                                             \
         ? (void)0                                                                                           \
         : (fprintf(stderr, "%s:%d: %zu bytes: %s\n", __FILE__, __LINE__, size, #condition), exit(1)))

static void use_any(void* object, size_t size) {
    EXPECT(object != NULL);
    EXPECT(hotlane_capacity(object) >= size);
    memset(object, 0xA5, hotlane_capacity(object));
}

static void use(void* buffer, size_t size) {
    volatile uintptr_t address = (uintptr_t)buffer;
    EXPECT(address % 64 == 0);
    use_any(buffer, size);
}

static void check(size_t size) {
    void* buffers[16];
    int i;
    size_t at;
    /* What malloc hands out need not be aligned: a buffer must not be one of these objects then. */
    for (i = 0; i < 16; i++) {
        buffers[i] = malloc(size);
        use_any(buffers[i], size);
    }
    for (i = 0; i < 16; i++) {
        free(buffers[i]);
    }
    for (i = 0; i < 16; i++) {
        if (i % 4 == 0) {
            unsigned char* const zeroed = hotlane_get_zeroed(size);
            for (at = 0; at < size; at++) {
                EXPECT(zeroed[at] == 0);
            }
            buffers[i] = zeroed;
        } else {
            buffers[i] = i % 4 == 1 ? hotlane_get_aligned(64, size) : hotlane_get(size);
        }
        use(buffers[i], size);
        if (i % 4 == 3) {
            hotlane_put(buffers[i]);
            hotlane_put(buffers[i - 3]);
        }
    }
    for (i = 0; i < 16; i++) {
        if (i % 4 == 1 || i % 4 == 2) {
            hotlane_put(buffers[i]);
        }
    }
}

int main(void) {
    size_t size;
    for (size = 0; size <= 2200; size += size < 300 ? 1 : 7) {
        check(size);
    }
    check(20000);
    check(65535);
    check(65537);
    return 0;
}
