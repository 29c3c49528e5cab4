// SPDX-License-Identifier: MIT
// One thread holds a FILE's lock and allocates, one flushes all files, and one forks. Each holds something
// that the next one waits for.
#include "outside.h"

static volatile int stop;
static FILE* shared;

static void* hold_and_allocate(void* unused) {
    while (!stop) {
        flockfile(shared);
        if (!churn(200)) {
            _exit(9);
        }
        fputs_unlocked("x", shared);
        funlockfile(shared);
    }
    return unused;
}

static void* flush_all(void* unused) {
    while (!stop) {
        fflush(NULL);
    }
    return unused;
}

static void* open_and_close(void* unused) {
    while (!stop) {
        FILE* file = fopen("/dev/null", "w");
        fputs("buffered", file);
        fclose(file);
    }
    return unused;
}

int main(void) {
    shared = fopen("/dev/null", "w");
    pthread_t threads[3];
    pthread_create(&threads[0], NULL, hold_and_allocate, NULL);
    pthread_create(&threads[1], NULL, flush_all, NULL);
    pthread_create(&threads[2], NULL, open_and_close, NULL);
    int bad = 0;
    for (int i = 0; i < 60; ++i) {
        const pid_t child = fork();
        if (child == 0) {
            FILE* file = fopen("/dev/null", "w");
            fputs("child", file);
            fclose(file);
            _exit(churn(50) ? 0 : 1);
        }
        bad += end_of(child) != 0;
    }
    stop = 1;
    for (int i = 0; i < 3; ++i) {
        pthread_join(threads[i], NULL);
    }
    fclose(shared);
    SAY("children that went wrong: %d\n", bad);
    return 0;
}
