// SPDX-License-Identifier: MIT
// Trap: dlsym allocates (dlerror's buffer) on threads where nothing has been allocated yet. An allocator that
// calls dlsym itself then calls itself.
// Here failing look-ups come first, on the main thread and on fresh ones.
#include "check.h"

#include <pthread.h>

static void* fail_to_find(void* unused) {
    (void)unused;
    for (int i = 0; i < 20; ++i) {
        CHECK(!dlsym(RTLD_DEFAULT, "no_such_function_anywhere"), "found what does not exist");
        const char* message = dlerror();
        CHECK(message && strstr(message, "no_such_function_anywhere"), "dlerror says %s", message);
        CHECK(!dlopen("/no/such/library.so", RTLD_NOW), "opened what does not exist");
    }
    return NULL;
}

int main(void) {
    fail_to_find(NULL);
    for (int i = 0; i < 50; ++i) {
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, fail_to_find, NULL) == 0, "no thread");
        pthread_join(thread, NULL);
    }
    return 0;
}
