// SPDX-License-Identifier: MIT
// Several threads fork at the same time while others allocate. Children allocate, start a thread, fork and
// exit.
#include "outside.h"

static volatile int stop;

static void* allocate(void* unused) {
    while (!stop) {
        if (!churn(500)) {
            _exit(9);
        }
    }
    return unused;
}

static void* once(void* unused) { return churn(200) ? (void*)&stop : unused; }

static int in_child(void) {
    pthread_t thread;
    void* kept = NULL;
    if (pthread_create(&thread, NULL, once, NULL) != 0 || pthread_join(thread, &kept) != 0 || !kept) {
        return 3;
    }
    const pid_t grandchild = fork();
    if (grandchild == 0) {
        _exit(churn(100) ? 0 : 4);
    }
    return end_of(grandchild);
}

static void* fork_often(void* bad) {
    for (int i = 0; i < 10; ++i) {
        const pid_t child = fork();
        if (child == 0) {
            exit(in_child());
        }
        *(int*)bad += child < 0 || end_of(child) != 0;
    }
    return NULL;
}

int main(void) {
    pthread_t workers[2], forkers[4];
    int bad[4] = {0};
    for (int i = 0; i < 2; ++i) {
        pthread_create(&workers[i], NULL, allocate, NULL);
    }
    for (int i = 0; i < 4; ++i) {
        pthread_create(&forkers[i], NULL, fork_often, &bad[i]);
    }
    for (int i = 0; i < 4; ++i) {
        pthread_join(forkers[i], NULL);
    }
    stop = 1;
    for (int i = 0; i < 2; ++i) {
        pthread_join(workers[i], NULL);
    }
    SAY("children that went wrong: %d\n", bad[0] + bad[1] + bad[2] + bad[3]);
    return 0;
}
