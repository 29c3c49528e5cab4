// SPDX-License-Identifier: MIT
// The first thread ends by pthread_exit. The process goes on until the last thread returns, and the exit
// handlers run in that thread.
#include "outside.h"

static void at_exit(void) { SAY("exit handler, memory is fine: %d\n", churn(1000)); }
static void destroy(void* data) {
    SAY("destructor of the first thread: %s\n", (char*)data);
    free(data);
}

static void* outlive(void* first) {
    pthread_join(*(pthread_t*)first, NULL);
    SAY("the first thread has ended\n");
    free(first);
    for (int i = 0; i < 20; ++i) {
        usleep(1000);
        if (!churn(500)) {
            _exit(9);
        }
    }
    return NULL;
}

int main(void) {
    atexit(at_exit);
    pthread_key_t key;
    pthread_key_create(&key, destroy);
    pthread_setspecific(key, strdup("freed"));
    pthread_t* self = (pthread_t*)malloc(sizeof *self);
    *self = pthread_self();
    pthread_t thread;
    pthread_create(&thread, NULL, outlive, self);
    pthread_detach(thread);
    pthread_exit(NULL);
}
