// SPDX-License-Identifier: MIT
// A second preloaded library. Its constructor allocates, and it counts the program's requests in a wrapper
// around the next malloc, which it finds with dlsym. wrapped_by_preload runs with it.
#include "outside.h"

#include <dlfcn.h>

int count_of_requests(void);

static volatile int requests;
static __thread int inside;
static void* (*next_malloc)(size_t);
static void (*next_free)(void*);

static void look_up(void) {
    if (!next_malloc && !inside) {
        inside = 1;
        next_free = (void (*)(void*))dlsym(RTLD_NEXT, "free");
        next_malloc = (void* (*)(size_t))dlsym(RTLD_NEXT, "malloc");
        inside = 0;
    }
}

void* malloc(size_t size) {
    look_up();
    __atomic_fetch_add(&requests, 1, __ATOMIC_RELAXED);
    return next_malloc ? next_malloc(size) : NULL;
}

void free(void* object) {
    look_up();
    if (next_free) {
        next_free(object);
    }
}

int count_of_requests(void) { return requests; }

static char* kept;
__attribute__((constructor)) static void start(void) { kept = strdup("from a preloaded constructor"); }
__attribute__((destructor)) static void end(void) { free(kept); }
