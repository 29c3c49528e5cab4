// SPDX-License-Identifier: MIT
// Trap: options are read while environ is not yet set, is null, or is replaced by another thread.
// The environment is removed before the first constructor, and again and again while another thread
// allocates.
#include "check.h"

#include <pthread.h>

extern char** environ;
static volatile int done;

static void clear_earliest(void) {
    environ = NULL;
    free(opaque(malloc(10)));
}

__attribute__((section(".preinit_array"), used)) static void (*preinit)(void) = clear_earliest;

static void* allocate(void* unused) {
    (void)unused;
    while (!done) {
        free(opaque(malloc(100)));
        free(opaque(malloc(100000)));
    }
    return NULL;
}

int main(void) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, allocate, NULL) == 0, "no thread");
    for (int i = 0; i < 2000; ++i) {
        CHECK(setenv("HOTLANE_STATS", "nonsense", 1) == 0 && setenv("OTHER", "value", 1) == 0,
              "setenv failed");
        CHECK(clearenv() == 0, "clearenv failed");
    }
    done = 1;
    pthread_join(thread, NULL);
    return 0;
}
