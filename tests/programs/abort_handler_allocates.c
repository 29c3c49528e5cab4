// SPDX-License-Identifier: MIT
// Trap: an invalid free is detected deep inside the allocator, with its locks held. abort() then raises the
// signal, and the program's handler allocates (most handlers do, to report where it happened) and waits for
// ever.
// The program frees an object twice. This is detected when the object leaves the thread's cache. The handler
// allocates and frees objects of every kind on this thread, then ends the program in the way that the
// argument names.
#include "check.h"

#include <malloc.h>
#include <signal.h>

enum { kObjects = 20000 };

static void* objects[kObjects];
static int ends_by_exit;

static void on_abort(int number) {
    (void)number;
    for (int round = 0; round < 3; ++round) {
        for (unsigned i = 0; i < kObjects; ++i) {
            const size_t size = i % 1000 == 0 ? 100000 : i % 300 * 11 + 1;
            objects[i] = i % 3 == 0 ? calloc(1, size) : malloc(size);
            CHECK(objects[i], "no object of %zu bytes in the handler", size);
            pattern_fill(objects[i], size, i);
        }
        for (unsigned i = 0; i < kObjects; ++i) {
            objects[i] = realloc(objects[i], 200);
            free(objects[i]);
        }
    }
    ends_by_exit ? exit(7) : _exit(7);
}

// More objects than the lane of one class and its ring hold. The first of them is freed twice.
static void free_many(void) {
    for (int i = 0; i < kObjects; ++i) {
        objects[i] = malloc(100);
    }
    free(opaque(objects[0]));
    for (int i = 0; i < kObjects; ++i) {
        free(objects[i]);
    }
}

int main(int count, char** arguments) {
    CHECK(count == 3, "usage: abort_handler_allocates (freeing|trimming) (exit|_exit)");
    ends_by_exit = strcmp(arguments[2], "exit") == 0;
    signal(SIGABRT, on_abort);
    alarm(20);
    if (strcmp(arguments[1], "freeing") == 0) {
        free_many();
    } else {
        void* object = opaque(malloc(100));
        free(object);
        free(object);
        malloc_trim(0);
    }
    CHECK(0, "the second free was not found");
}
