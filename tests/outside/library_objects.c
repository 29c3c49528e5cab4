// SPDX-License-Identifier: MIT
// A library that allocates, resizes and frees objects, and keeps some until its destructor. Opened by
// library_flags, namespaces and library_in_threads.
#include "outside.h"

char* library_make(const char* word);
char* library_grow(const char* word);
void library_take(void* object);

static char* kept;
static void* handed_over;

__attribute__((constructor)) static void start(void) { kept = strdup("from the constructor"); }

__attribute__((destructor)) static void end(void) {
    if (strcmp(kept, "from the constructor") != 0) {
        _exit(9);
    }
    free(kept);
    free(handed_over);
}

char* library_make(const char* word) {
    free(__atomic_exchange_n(&handed_over, malloc(3000), __ATOMIC_ACQ_REL));  // several threads call this
    char* made = NULL;
    return asprintf(&made, "%s by the library", word) < 0 ? NULL : made;
}

char* library_grow(const char* word) {
    char* grown = (char*)realloc((void*)word, 300000);
    return strcat(grown, " by the library");
}

void library_take(void* object) { free(object); }
