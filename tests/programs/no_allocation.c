// SPDX-License-Identifier: MIT
//
// The counts of a thread's requests are exact in a program that was preloaded, and finds the functions by dlsym.
#include "check.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

typedef uint64_t (*Count)(void);

static Count allocations;
static Count frees;

static void* work(void* unused) {
    void* held[300];
    const uint64_t allocations_before = allocations();
    const uint64_t frees_before = frees();
    for (int round = 0; round < 50; ++round) {
        for (int i = 0; i < 300; ++i) {
            held[i] = malloc((size_t)i * 331 + 1);
        }
        for (int i = 0; i < 300; ++i) {
            held[i] = realloc(held[i], (size_t)i * 331 + 10);
        }
        for (int i = 0; i < 300; ++i) {
            free(held[i]);
        }
    }
    CHECK(allocations() - allocations_before == 50 * 600, "%zu allocations",
          (size_t)(allocations() - allocations_before));
    CHECK(frees() - frees_before == 50 * 600, "%zu frees", (size_t)(frees() - frees_before));
    return unused;
}

int main(void) {
    allocations = (Count)dlsym(RTLD_DEFAULT, "hotlane_thread_allocations");
    frees = (Count)dlsym(RTLD_DEFAULT, "hotlane_thread_frees");
    CHECK(allocations != NULL && frees != NULL, "not preloaded");
    pthread_t threads[3];
    for (int i = 0; i < 3; ++i) {
        CHECK(pthread_create(&threads[i], NULL, work, NULL) == 0, "no thread");
    }
    work(NULL);
    for (int i = 0; i < 3; ++i) {
        CHECK(pthread_join(threads[i], NULL) == 0, "no join");
    }
    return 0;
}
