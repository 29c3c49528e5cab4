// SPDX-License-Identifier: MIT
// dlmopen: a library in a namespace of its own has a libc of its own. It frees its own objects, and they
// never meet the program's. Each libc starts and ends its own malloc.
#include "outside.h"

#include <dlfcn.h>

int main(int count, char** arguments) {
    if (count < 2) {
        return 1;
    }
    for (int round = 0; round < 3; ++round) {
        void* library = dlmopen(LM_ID_NEWLM, arguments[1], RTLD_NOW);
        if (!library) {
            SAY("dlmopen: %s\n", dlerror());
            return 1;
        }
        char* (*make)(const char*) = (char* (*)(const char*))dlsym(library, "library_make");
        void (*take)(void*) = (void (*)(void*))dlsym(library, "library_take");
        char* made[100];
        for (int i = 0; i < 100; ++i) {
            made[i] = make("made in another namespace");
        }
        SAY("%s, memory is fine: %d\n", made[99], churn(3000));
        for (int i = 0; i < 100; ++i) {
            take(made[i]);
        }
        SAY("closed: %d\n", dlclose(library));
    }
    SAY("memory is fine: %d\n", churn(3000));
    return 0;
}
