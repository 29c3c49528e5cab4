// SPDX-License-Identifier: MIT
// Trap: a library opened with RTLD_DEEPBIND takes malloc from libc, and hands such objects to a program whose
// free is another's. They are given to glibc's free, resized and measured by glibc's own functions, without a
// word. (The other way round cannot work: glibc's free, called directly, never asks anybody.)
#include "check.h"

#include <malloc.h>

typedef void* (*Allocate)(size_t);
typedef void (*Release)(void*);
typedef char* (*Duplicate)(const char*);

int main(int count, char** arguments) {
    CHECK(count == 2, "usage: deepbind LIBRARY");
    void* library = dlopen(arguments[1], RTLD_NOW | RTLD_DEEPBIND);
    CHECK(library, "dlopen: %s", dlerror());
    Allocate library_malloc = (Allocate)dlsym(library, "library_malloc");
    Release library_free = (Release)dlsym(library, "library_free");
    Duplicate library_strdup = (Duplicate)dlsym(library, "library_strdup");
    CHECK(library_malloc && library_free && library_strdup, "the library lacks a function");
    for (size_t size = 1; size < 4 << 20; size += 1 + size / 2) {
        void* object = library_malloc(size);
        const size_t usable = malloc_usable_size(object);
        CHECK(usable >= size && usable < size + 8192, "usable size of glibc's object of %zu is %zu", size,
              usable);
        pattern_fill(object, size, 3);
        library_free(object);
        object = library_malloc(size);
        pattern_fill(object, size, 5);
        free(object);
        object = library_malloc(size);
        pattern_fill(object, size, 9);
        object = realloc(object, size * 2);
        CHECK(object, "realloc of glibc's object failed");
        pattern_check(object, size, 9);
        free(object);
    }
    char* text = library_strdup("a text of glibc's");
    CHECK(strcmp(text, "a text of glibc's") == 0, "strdup gave %s", text);
    free(text);
    dlclose(library);
    return 0;
}
