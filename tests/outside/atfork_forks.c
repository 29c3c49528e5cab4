// SPDX-License-Identifier: MIT
// Fork handlers that fork themselves (once), allocate, and start threads in the child.
#include "outside.h"

static int inside;
static int inner_end = -1;

static void prepare(void) {
    if (inside++ == 0) {
        const pid_t child = fork();
        if (child == 0) {
            _exit(churn(500) ? 11 : 12);
        }
        inner_end = end_of(child);
    }
}

static void parent(void) { --inside; }

static void* allocate(void* unused) { return churn(2000) ? &inside : unused; }

static void in_child(void) {
    --inside;
    pthread_t threads[4];
    for (int i = 0; i < 4; ++i) {
        pthread_create(&threads[i], NULL, allocate, NULL);
    }
    for (int i = 0; i < 4; ++i) {
        void* kept = NULL;
        pthread_join(threads[i], &kept);
        if (!kept) {
            _exit(13);
        }
    }
}

int main(void) {
    pthread_atfork(prepare, parent, in_child);
    for (int round = 0; round < 3; ++round) {
        const pid_t child = fork();
        if (child == 0) {
            _exit(churn(500) ? 21 : 22);
        }
        SAY("inner child ended %d, outer child %d\n", inner_end, end_of(child));
    }
    return 0;
}
