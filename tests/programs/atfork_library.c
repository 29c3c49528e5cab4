// SPDX-License-Identifier: MIT
// A library whose constructor registers fork handlers that need malloc. The handler before the fork allocates
// and joins a worker thread that allocates, as numeric libraries do. The handlers after it start the worker
// again. Linked by fork_handlers.c; it is written for any malloc.
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

int atfork_library_calls = 0;

static pthread_t worker;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int stopping = 0;

static void allocate_and_free(void) {
    enum { kObjects = 20000 };
    static __thread void* objects[kObjects];
    for (int i = 0; i < kObjects; ++i) {
        objects[i] = malloc((size_t)i % 3000 + 1);
        if (objects[i] == NULL) {
            _exit(1);
        }
    }
    for (int i = 0; i < kObjects; ++i) {
        free(objects[i]);
    }
    void* volatile large = malloc(1 << 20);
    free(large);
}

static void* work(void* unused) {
    pthread_mutex_lock(&lock);
    while (!stopping) {
        pthread_cond_wait(&changed, &lock);
    }
    pthread_mutex_unlock(&lock);
    allocate_and_free();
    return unused;
}

static void start_worker(void) {
    stopping = 0;
    if (pthread_create(&worker, NULL, work, NULL) != 0) {
        _exit(1);
    }
}

static void before_fork(void) {
    ++atfork_library_calls;
    allocate_and_free();
    pthread_mutex_lock(&lock);
    stopping = 1;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
    pthread_join(worker, NULL);
}

static void after_fork(void) {
    ++atfork_library_calls;
    allocate_and_free();
    start_worker();
}

__attribute__((constructor)) static void register_handlers(void) {
    start_worker();
    pthread_atfork(before_fork, after_fork, after_fork);
}
