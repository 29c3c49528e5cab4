// SPDX-License-Identifier: MIT
// A library that is opened with RTLD_DEEPBIND: its malloc is libc's, whatever is preloaded.
// Knows nothing of who opens it.
// Opened by deepbind.c.
#include <stdlib.h>
#include <string.h>

void* library_malloc(size_t size);
void library_free(void* object);
char* library_strdup(const char* text);

void* library_malloc(size_t size) { return malloc(size); }
void library_free(void* object) { free(object); }
char* library_strdup(const char* text) { return strdup(text); }
