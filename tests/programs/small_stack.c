// SPDX-License-Identifier: MIT
// Trap: thread-local storage and the frames of the slow path take space on the thread's stack.
// With the smallest stack there is, 16 KiB, a thread must start, and every slow path of malloc must fit:
// refill, flush, fallback, realloc, trim, exit.
#include "check.h"

#include <malloc.h>
#include <pthread.h>

static void* body(void* unused) {
    (void)unused;
    enum { kObjects = 400 };
    void** objects = malloc(kObjects * sizeof *objects);
    for (size_t size = 1; size <= 1 << 20; size *= 4) {
        const int count = size <= 65536 ? kObjects : 3;
        for (int i = 0; i < count; ++i) {
            objects[i] = malloc(size);
            CHECK(objects[i], "malloc(%zu) failed", size);
            memset(objects[i], i, size < 64 ? size : 64);
        }
        for (int i = 0; i < count; ++i) {
            free(realloc(objects[i], size * 2));
        }
        free(opaque(calloc(1, size)));
        free(opaque(aligned_alloc(4096, size)));
    }
    malloc_trim(0);
    free(objects);
    return NULL;
}

int main(void) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    CHECK(pthread_attr_setstacksize(&attributes, 16384) == 0, "no stack of 16 KiB");
    for (int i = 0; i < 20; ++i) {
        pthread_t thread;
        int error = pthread_create(&thread, &attributes, body, NULL);
        CHECK(error == 0, "no thread with a stack of 16 KiB: %s", strerror(error));
        pthread_join(thread, NULL);
    }
    return 0;
}
