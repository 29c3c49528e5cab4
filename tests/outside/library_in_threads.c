// SPDX-License-Identifier: MIT
// Threads open and close libraries, walk the list of loaded objects, and allocate in the callback, which runs
// under the loader's lock. Other threads look up symbols, and the process forks.
#include "outside.h"

#include <dlfcn.h>
#include <link.h>

static const char* path;

static int look_at(struct dl_phdr_info* info, size_t size, void* sum) {
    (void)size;
    char* copy = strdup(info->dlpi_name);
    free(opaque(malloc(100000)));
    *(int*)sum += copy != NULL;
    free(copy);
    return 0;
}

static void* open_and_close(void* good) {
    for (int i = 0; i < 50; ++i) {
        void* library = dlopen(path, RTLD_NOW);
        char* (*make)(const char*) = library ? (char* (*)(const char*))dlsym(library, "library_make") : NULL;
        char* made = make ? make("made") : NULL;
        *(int*)good += made != NULL && dlclose(library) == 0;
        free(made);
    }
    return NULL;
}

static void* walk(void* good) {
    for (int i = 0; i < 50; ++i) {
        int sum = 0;
        Dl_info found;
        dl_iterate_phdr(look_at, &sum);
        *(int*)good += sum > 2 && dladdr(opaque((void*)&walk), &found) != 0 && churn(20);
    }
    return NULL;
}

int main(int count, char** arguments) {
    if (count < 2) {
        return 1;
    }
    path = arguments[1];
    pthread_t threads[4];
    int good[4] = {0}, children = 0;
    for (int i = 0; i < 4; ++i) {
        pthread_create(&threads[i], NULL, i % 2 ? walk : open_and_close, &good[i]);
    }
    for (int i = 0; i < 20; ++i) {
        const pid_t child = fork();
        if (child == 0) {
            _exit(churn(200) ? 0 : 1);
        }
        children += end_of(child) == 0;
    }
    for (int i = 0; i < 4; ++i) {
        pthread_join(threads[i], NULL);
    }
    SAY("good: %d %d %d %d, children: %d\n", good[0], good[1], good[2], good[3], children);
    return 0;
}
