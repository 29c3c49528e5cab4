// SPDX-License-Identifier: MIT
// Trap: a request writes a report that is due, inside malloc, and writing fails. The program then sees an
// errno that none of its own calls has set.
// The options name a file that cannot be written, and errno is checked after every request. The program's own
// pthread_create fails, so that the reports are written by its requests and not by the background thread.
#include "check.h"

#include <pthread.h>
#include <time.h>

// The program is linked with its names exported, so the library's call comes here.
int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*run)(void*), void* argument) {
    (void)thread, (void)attributes, (void)run, (void)argument;
    return EAGAIN;
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(void) {
    enum { kObjects = 200 };
    static void* objects[kObjects];
    const double end = seconds() + 0.5;
    while (seconds() < end) {
        for (int i = 0; i < kObjects; ++i) {
            errno = 1000 + i;
            objects[i] = malloc(i % 50 == 0 ? 100000 : 500);
            CHECK(objects[i], "malloc failed");
            CHECK(errno == 1000 + i, "malloc set errno to %d", errno);
        }
        for (int i = 0; i < kObjects; ++i) {
            errno = 1000 + i;
            free(objects[i]);
            CHECK(errno == 1000 + i, "free set errno to %d", errno);
        }
    }
    return 0;
}
