// SPDX-License-Identifier: MIT
// The child of a thread lives on as an ordinary process. Its only thread is not the first one of the parent.
// It starts threads, runs exit handlers, and may call pthread_exit.
#include "outside.h"

static void at_exit(void) { SAY("exit handler, memory is fine: %d\n", churn(1000)); }

static void* allocate(void* unused) { return churn(3000) ? (void*)&allocate : unused; }

static void* fork_and_go_on(void* how) {
    const pid_t child = fork();
    if (child == 0) {
        pthread_t thread;
        void* kept = NULL;
        pthread_create(&thread, NULL, allocate, NULL);
        pthread_join(thread, &kept);
        SAY("the child's thread: %d\n", kept != NULL);
        if (*(const char*)how == 'e') {
            exit(6);
        }
        pthread_exit(NULL);
    }
    SAY("%s: %d\n", (const char*)how, end_of(child));
    return NULL;
}

int main(void) {
    atexit(at_exit);
    const char* ways[] = {"exit", "pthread_exit"};
    for (int i = 0; i < 2; ++i) {
        pthread_t thread;
        pthread_create(&thread, NULL, fork_and_go_on, (void*)ways[i]);
        pthread_join(thread, NULL);
    }
    return 0;
}
