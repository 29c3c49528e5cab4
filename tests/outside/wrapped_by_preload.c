// SPDX-License-Identifier: MIT
// Runs with other_preload loaded before the malloc, so that every call of malloc goes through its wrapper: in
// threads, after fork, and from libc itself. Objects from calloc, realloc and the aligned functions bypass
// the wrapper and are freed through it.
#include "outside.h"

#include <dlfcn.h>

static void* allocate(void* unused) { return churn(1000) ? (void*)&allocate : unused; }

int main(void) {
    int (*count_of_requests)(void) = (int (*)(void))dlsym(RTLD_DEFAULT, "count_of_requests");
    if (!count_of_requests) {
        return 1;
    }
    const int before = count_of_requests();
    for (int i = 0; i < 100; ++i) {
        free(opaque(malloc(100)));
        free(opaque(calloc(10, 10)));
        free(opaque(realloc(NULL, 1000)));
        free(opaque(aligned_alloc(256, 1000)));
        free(strdup("word"));
    }
    SAY("requests: %d\n", count_of_requests() - before);
    pthread_t threads[4];
    int good = 0;
    for (int i = 0; i < 4; ++i) {
        pthread_create(&threads[i], NULL, allocate, NULL);
    }
    for (int i = 0; i < 4; ++i) {
        void* result = NULL;
        pthread_join(threads[i], &result);
        good += result != NULL;
    }
    const pid_t child = fork();
    if (child == 0) {
        exit(churn(500) ? 4 : 5);
    }
    SAY("threads: %d, child: %d\n", good, end_of(child));
    return 0;
}
