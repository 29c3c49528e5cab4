// SPDX-License-Identifier: MIT
// In a process with threads, every thread carries out setresuid in a signal handler that libc sends to it, at
// any point of its execution.
#include "outside.h"

static volatile int stop;

static void* allocate(void* unused) {
    while (!stop) {
        if (!churn(200)) {
            _exit(9);
        }
    }
    return unused;
}

int main(void) {
    pthread_t threads[2];
    for (int i = 0; i < 2; ++i) {
        pthread_create(&threads[i], NULL, allocate, NULL);
    }
    const uid_t user = getuid();
    int good = 0;
    for (int i = 0; i < 30; ++i) {
        good += setresuid(user, user, user) == 0;
        usleep(100);
    }
    stop = 1;
    for (int i = 0; i < 2; ++i) {
        pthread_join(threads[i], NULL);
    }
    SAY("changed: %d\n", good);
    return 0;
}
