// SPDX-License-Identifier: MIT
// Requests that cannot be served: the result and errno of each function are as the manual says, and existing
// objects are unchanged.
#include "outside.h"

#include <malloc.h>

static void say(const char* what, void* result) {
    SAY("%s: %d, errno is ENOMEM: %d\n", what, result != NULL, errno == ENOMEM);
    errno = 0;
}

int main(void) {
    volatile size_t most = SIZE_MAX, half = (SIZE_MAX >> 1) + 1;
    errno = 0;
    say("malloc SIZE_MAX", malloc(most));
    say("malloc PTRDIFF_MAX + 1", malloc(half));
    say("malloc 2^62", malloc(half / 2));
    say("calloc overflow", calloc(half, 2));
    say("calloc overflow to small", calloc(half + 8, 2));
    say("calloc 2^62", calloc(half / 4, 2));
    char* kept = strcpy((char*)malloc(100), "kept");
    say("realloc SIZE_MAX", realloc(kept, most));
    say("reallocarray overflow", reallocarray(kept, half, 2));
    say("reallocarray overflow to small", reallocarray(kept, half + 8, 2));
    say("realloc of null", realloc(NULL, most - 100));
    SAY("%s\n", kept);
    free(kept);
    say("aligned_alloc", aligned_alloc(64, half));
    say("memalign", memalign(4096, most - 4096));
    say("valloc", valloc(most - 100));
    say("pvalloc", pvalloc(most - 100));
    void* const marker = &errno;
    void* untouched = marker;
    SAY("posix_memalign, too large: %d\n", posix_memalign(&untouched, 64, half) == ENOMEM);
    errno = 0;
    SAY("posix_memalign, alignment 0: %d\n", posix_memalign(&untouched, 0, 8) == EINVAL);
    SAY("posix_memalign, alignment 4: %d\n", posix_memalign(&untouched, 4, 8) == EINVAL);
    SAY("posix_memalign, alignment 24: %d\n", posix_memalign(&untouched, 24, 8) == EINVAL);
    SAY("pointer untouched: %d, errno untouched: %d\n", untouched == marker, errno == 0);
    SAY("memory is fine: %d\n", churn(1000));
    return 0;
}
