// SPDX-License-Identifier: MIT
// Threads are cancelled while they allocate and write, at cancellation points only. Their cleanup handlers
// free.
#include "outside.h"

#include <fcntl.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int freed;

static void clean(void* object) {
    free(object);
    pthread_mutex_lock(&mutex);
    ++freed;
    pthread_mutex_unlock(&mutex);
}

static void* work(void* output) {
    for (;;) {
        char* line = NULL;
        if (asprintf(&line, "%0500d", 5) < 0) {
            return NULL;
        }
        pthread_cleanup_push(clean, line);
        if (write(*(int*)output, line, 500) != 500 || !churn(20)) {
            _exit(9);
        }
        pthread_cleanup_pop(0);
        free(line);
    }
}

int main(void) {
    int output = open("/dev/null", O_WRONLY);
    int cancelled = 0;
    for (int i = 0; i < 200; ++i) {
        pthread_t thread;
        void* result = NULL;
        pthread_create(&thread, NULL, work, &output);
        if (i % 4) {
            usleep((unsigned)i % 50);
        }
        pthread_cancel(thread);
        pthread_join(thread, &result);
        cancelled += result == PTHREAD_CANCELED;
    }
    SAY("cancelled: %d; never more than one object each: %d; memory is fine: %d\n", cancelled, freed <= 200,
        churn(2000));
    return 0;
}
