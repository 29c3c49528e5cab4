// SPDX-License-Identifier: MIT
// A library's fork handlers must be gone when the library is closed.
#include "outside.h"

#include <dlfcn.h>

static void fork_once(const char* when) {
    const pid_t child = fork();
    if (child == 0) {
        _exit(churn(1000) ? 5 : 6);
    }
    SAY("%s: child ended %d\n", when, end_of(child));
}

int main(int count, char** arguments) {
    if (count < 2) {
        return 1;
    }
    for (int round = 0; round < 2; ++round) {
        void* library = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
        if (!library) {
            SAY("%s\n", dlerror());
            return 1;
        }
        fork_once("open");
        dlclose(library);
        fork_once("closed");
    }
    return 0;
}
