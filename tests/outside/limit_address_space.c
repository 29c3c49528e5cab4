// SPDX-License-Identifier: MIT
// RLIMIT_AS is set while the program runs. Threads, dlopen and 50 MiB still work; a request above the limit
// fails with ENOMEM, and afterwards everything works again.
#include "outside.h"

#include <dlfcn.h>
#include <sys/resource.h>

static void* allocate(void* unused) { return churn(500) ? (void*)&allocate : unused; }

static int run_threads(void) {
    pthread_t threads[8];
    int good = 0;
    for (int i = 0; i < 8; ++i) {
        if (pthread_create(&threads[i], NULL, allocate, NULL) != 0) {
            return -1 - i;
        }
    }
    for (int i = 0; i < 8; ++i) {
        void* result = NULL;
        pthread_join(threads[i], &result);
        good += result != NULL;
    }
    return good;
}

int main(void) {
    SAY("before: %d\n", churn(2000));
    const struct rlimit limit = {2UL << 30, 2UL << 30};
    SAY("setrlimit: %d\n", setrlimit(RLIMIT_AS, &limit));
    SAY("threads: %d\n", run_threads());
    SAY("dlopen: %d\n", dlopen("libm.so.6", RTLD_NOW) != NULL);
    char* block = (char*)malloc(50 << 20);
    SAY("50 MiB: %d\n", block && memset(block, 1, 50 << 20) == block);
    free(block);
    void* blocks[64];
    int got = 0;
    errno = 0;
    while (got < 64 && (blocks[got] = malloc(64 << 20))) {
        ++got;
    }
    SAY("above 1 GiB: %d, below 2 GiB: %d, errno is ENOMEM: %d\n", got > 16, got < 33, errno == ENOMEM);
    SAY("small ones still: %d\n", churn(500));
    while (got > 0) {
        free(blocks[--got]);
    }
    SAY("after: %d, threads: %d\n", churn(5000), run_threads());
    return 0;
}
