// SPDX-License-Identifier: MIT
// Threads with the smallest stack that is allowed make small, large, aligned and failing requests.
#include "outside.h"

#include <limits.h>
#include <sys/wait.h>

static void* allocate(void* unused) {
    void* objects[4] = {malloc(100), malloc(1 << 20), aligned_alloc(4096, 8192), calloc(1000, 1000)};
    int good = 0;
    for (int i = 0; i < 4; ++i) {
        good += objects[i] != NULL;
        free(opaque(objects[i]));
    }
    good += opaque(malloc(SIZE_MAX / 4)) == NULL && errno == ENOMEM;
    return good == 5 ? (void*)&allocate : unused;
}

/* Ten threads at once: which of them needs something of the allocator first differs. */
static int run_threads(const pthread_attr_t* attributes) {
    int good = 0;
    pthread_t threads[10];
    for (int i = 0; i < 10; ++i) {
        if (pthread_create(&threads[i], attributes, allocate, NULL) != 0) {
            return 0;
        }
    }
    for (int i = 0; i < 10; ++i) {
        void* result = NULL;
        pthread_join(threads[i], &result);
        good += result != NULL;
    }
    return good;
}

int main(void) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    SAY("stack size set: %d\n", pthread_attr_setstacksize(&attributes, (size_t)PTHREAD_STACK_MIN));
    int good = 0;
    for (int round = 0; round < 20; ++round) {
        const pid_t child = fork(); /* every child is new to large requests */
        if (child == 0) {
            _exit(run_threads(&attributes));
        }
        int status = 0;
        waitpid(child, &status, 0);
        good += WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    }
    SAY("good: %d\n", good);
    return 0;
}
