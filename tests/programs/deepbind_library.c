// SPDX-License-Identifier: MIT
// A library that deepbind.c opens with RTLD_DEEPBIND. If the flag takes effect, the library calls libc's
// malloc, whatever is preloaded.
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
// These calls must not become jumps (tail calls), or dlopen would see another caller.
void* library_open(const char* name, int mode) {
    void* volatile opened = dlopen(name, mode);
    return opened;
}
void* library_open_in_base(const char* name, int mode) {
    void* volatile opened = dlmopen(LM_ID_BASE, name, mode);
    return opened;
}
