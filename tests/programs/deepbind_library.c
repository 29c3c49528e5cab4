// SPDX-License-Identifier: MIT
// A library that is opened with RTLD_DEEPBIND: what it calls is libc's, whatever is preloaded, where the flag
// is heeded. Knows nothing of who opens it. Opened by deepbind.c.
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

typedef void* (*Allocate)(size_t);

Allocate library_which_malloc(void);
void* library_malloc(size_t size);
void library_free(void* object);
char* library_strdup(const char* text);
void* library_open(const char* name, int mode);
void* library_open_in_base(const char* name, int mode);

Allocate library_which_malloc(void) { return malloc; }
void* library_malloc(size_t size) { return malloc(size); }
void library_free(void* object) { free(object); }
char* library_strdup(const char* text) { return strdup(text); }
// These calls must not become jumps, or the caller would be somebody else.
void* library_open(const char* name, int mode) {
    void* volatile opened = dlopen(name, mode);
    return opened;
}
void* library_open_in_base(const char* name, int mode) {
    void* volatile opened = dlmopen(LM_ID_BASE, name, mode);
    return opened;
}
