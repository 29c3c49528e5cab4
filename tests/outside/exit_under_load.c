// SPDX-License-Identifier: MIT
// A thread that is not the first one calls exit, while detached threads allocate and end. Exit handlers,
// on_exit handlers and destructors run once, and allocate.
#include "outside.h"

static void* allocate_for_ever(void* unused) {
    for (;;) {
        if (!churn(100)) {
            _exit(9);
        }
    }
    return unused;
}

static void* end_at_once(void* unused) {
    free(opaque(malloc(100)));
    return unused;
}

static void* start_others(void* unused) {
    for (;;) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, end_at_once, NULL) == 0) {
            pthread_detach(thread);
        }
        usleep(100);
    }
    return unused;
}

static int handlers;
static void at_exit(void) {
    if (churn(50)) {
        ++handlers;
    }
}

static void on_exit_handler(int status, void* word) {
    SAY("on_exit: status %d, %s\n", status, (char*)word);
    free(word);
}

__attribute__((destructor)) static void at_last(void) {
    SAY("destructor: %d handlers ran, memory is fine: %d\n", handlers, churn(1000));
}

static void* leave(void* unused) {
    usleep(20000);
    exit(0);
    return unused;
}

int main(void) {
    on_exit(on_exit_handler, strdup("freed at exit"));
    for (int i = 0; i < 100; ++i) {
        atexit(at_exit);  // glibc has room for 32, and allocates for more
    }
    pthread_t thread;
    for (int i = 0; i < 3; ++i) {
        pthread_create(&thread, NULL, allocate_for_ever, NULL);
        pthread_detach(thread);
    }
    pthread_create(&thread, NULL, start_others, NULL);
    pthread_create(&thread, NULL, leave, NULL);
    pause();
    return 1;
}
