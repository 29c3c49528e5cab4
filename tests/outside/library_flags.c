// SPDX-License-Identifier: MIT
// A library is opened with all flags of dlopen. Objects of the program and of the library exist on both sides
// of the call, and each side frees objects that the other one allocated, even after the library was closed.
#include "outside.h"

#include <dlfcn.h>

typedef char* (*Make)(const char*);
typedef void (*Take)(void*);

static void open_with(const char* path, const char* name, int flags) {
    for (int round = 0; round < 3; ++round) {
        void* library = dlopen(path, flags);
        if (!library) {
            SAY("%s: %s\n", name, dlerror());
            return;
        }
        const Make make = (Make)dlsym(library, "library_make");
        const Make grow = (Make)dlsym(library, "library_grow");
        const Take take = (Take)dlsym(library, "library_take");
        char* made = make("made");
        take(strdup("given to the library"));
        take(malloc(200000));
        take(aligned_alloc(4096, 100));
        char* grown = grow(strdup("grown"));
        SAY("%s: missing: %d, ", name, dlsym(library, "no_such_name") == NULL && dlerror() != NULL);
        SAY("closed: %d, ", dlclose(library));
        SAY("%s, %s\n", made, grown);
        made = (char*)realloc(made, 5000);
        free(made);
        free(grown);
    }
}

int main(int count, char** arguments) {
    if (count < 2) {
        return 1;
    }
    open_with(arguments[1], "lazy", RTLD_LAZY);
    open_with(arguments[1], "now, global", RTLD_NOW | RTLD_GLOBAL);
    open_with(arguments[1], "not loaded", RTLD_NOW | RTLD_NOLOAD);
    open_with(arguments[1], "now, deepbind", RTLD_NOW | RTLD_DEEPBIND);
    open_with(arguments[1], "lazy, deepbind", RTLD_LAZY | RTLD_LOCAL | RTLD_DEEPBIND);
    open_with(arguments[1], "nodelete", RTLD_NOW | RTLD_NODELETE);
    open_with(arguments[1], "loaded already", RTLD_NOW | RTLD_NOLOAD);
    SAY("memory is fine: %d\n", churn(3000));
    return 0;
}
