// SPDX-License-Identifier: MIT
// A library whose constructor registers fork handlers that allocate and join a thread. atfork_linked links to
// it, and atfork_dlopened opens it.
#include "outside.h"

static void* allocate(void* rounds) { return churn((size_t)rounds) ? rounds : NULL; }

static void handler(void) {
    pthread_t thread;
    void* kept = NULL;
    if (pthread_create(&thread, NULL, allocate, (void*)2000) == 0) {
        pthread_join(thread, &kept);
    }
    if (!kept || !churn(5000)) {
        _exit(9);
    }
}

static void prepare(void) {
    SAY("the library prepares\n");
    handler();
}

static void* kept_from_start;

__attribute__((constructor)) static void start(void) {
    kept_from_start = strdup("from the constructor");
    pthread_atfork(prepare, handler, handler);
}

__attribute__((destructor)) static void end(void) {
    SAY("the library goes: %s\n", (char*)kept_from_start);
    free(kept_from_start);
}

const char* library_word(void);
const char* library_word(void) { return kept_from_start; }
