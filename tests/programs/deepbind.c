// SPDX-License-Identifier: MIT
// Trap: a library opened with RTLD_DEEPBIND takes malloc and free from libc, whatever is preloaded, and
// objects cross between it and the program. All of them must come from one malloc, unless the user chose to
// keep the flag. Code that changes the flag on its way to libc must not change anything else about dlopen:
// whose RUNPATH is searched, what dlerror says, and what the other flags mean.
//
// usage: deepbind LIBRARY [kept], where LIBRARY has a RUNPATH that leads to plugin_beside.so
#include "check.h"

#include <malloc.h>
#include <pthread.h>

typedef void* (*Allocate)(size_t);
typedef void (*Release)(void*);
typedef char* (*Duplicate)(const char*);
typedef Allocate (*WhichMalloc)(void);
typedef void* (*Open)(const char* name, int mode);

static const char* library_path;
static void* opened_early;

// The loader runs this before any library's constructor.
static void open_before_constructors(int count, char** arguments) {
    if (count > 1) {
        opened_early = dlopen(arguments[1], RTLD_NOW | RTLD_DEEPBIND);
    }
}
__attribute__((section(".preinit_array"), used)) static void (*preinit)(int,
                                                                        char**) = open_before_constructors;

static void* function(void* library, const char* name) {
    void* found = dlsym(library, name);
    CHECK(found, "the library has no %s", name);
    return found;
}

static void objects_cross(void* library) {
    const Allocate library_malloc = (Allocate)function(library, "library_malloc");
    const Release library_free = (Release)function(library, "library_free");
    const Duplicate library_strdup = (Duplicate)function(library, "library_strdup");
    for (size_t size = 1; size < 4 << 20; size += 1 + size / 2) {
        void* object = library_malloc(size);
        CHECK(malloc_usable_size(object) >= size, "the usable size of an object of %zu is too small", size);
        pattern_fill(object, size, 3);
        object = realloc(object, size * 2);
        CHECK(object, "realloc of the library's object failed");
        pattern_check(object, size, 3);
        library_free(object);
        object = malloc(size);
        pattern_fill(object, size, 5);
        library_free(object);
        free(library_malloc(size));
    }
    char* text = library_strdup("a text of the library's");
    CHECK(strcmp(text, "a text of the library's") == 0, "strdup gave %s", text);
    free(text);
    library_free(strdup("a text of the program's"));
}

// plugin_beside.so can only be found through the RUNPATH of the library.
static void caller_is_known(void* library) {
    CHECK(!dlopen("plugin_beside.so", RTLD_NOW),
          "the test proves nothing: the program finds plugin_beside.so by itself");
    for (int mode = RTLD_NOW; mode != 0; mode = mode & RTLD_DEEPBIND ? 0 : RTLD_NOW | RTLD_DEEPBIND) {
        void* plugin = ((Open)function(library, "library_open"))("plugin_beside.so", mode);
        CHECK(plugin, "dlopen does not search its caller's RUNPATH: %s", dlerror());
        dlclose(plugin);
        plugin = ((Open)function(library, "library_open_in_base"))("plugin_beside.so", mode);
        CHECK(plugin, "dlmopen does not search its caller's RUNPATH: %s", dlerror());
        dlclose(plugin);
    }
}

static void errors_and_flags_are_kept(void* library) {
    dlerror();
    CHECK(!dlopen("/nonexistent/library.so", RTLD_NOW | RTLD_DEEPBIND), "a library out of nothing");
    const char* said = dlerror();
    CHECK(said && strstr(said, "/nonexistent/library.so"), "dlerror says %s", said ? said : "nothing");
    CHECK(!dlerror(), "dlerror says it twice");
    CHECK(!dlopen("libnever.so", RTLD_NOW | RTLD_NOLOAD | RTLD_DEEPBIND), "RTLD_NOLOAD loaded something");
    void* again = dlopen(library_path, RTLD_NOW | RTLD_NOLOAD | RTLD_DEEPBIND);
    CHECK(again == library, "RTLD_NOLOAD does not find what is loaded");
    dlclose(again);
    CHECK(dlopen(NULL, RTLD_NOW | RTLD_DEEPBIND), "the program itself: %s", dlerror());
}

// In another namespace the library has its own libc, so its objects must stay with it.
static void another_namespace_works(void) {
    void* library = dlmopen(LM_ID_NEWLM, library_path, RTLD_NOW | RTLD_DEEPBIND);
    CHECK(library, "dlmopen: %s", dlerror());
    void* object = ((Allocate)function(library, "library_malloc"))(100);
    pattern_fill(object, 100, 1);
    ((Release)function(library, "library_free"))(object);
}

static void* open_and_close(void* unused) {
    for (int i = 0; i < 200; ++i) {
        void* library = dlopen(library_path, RTLD_NOW | RTLD_DEEPBIND);
        CHECK(library, "dlopen: %s", dlerror());
        void* object = malloc(100);
        ((Release)function(library, "library_free"))(object);
        dlclose(library);
    }
    return unused;
}

int main(int count, char** arguments) {
    CHECK(count >= 2, "usage: deepbind LIBRARY [kept]");
    library_path = arguments[1];
    CHECK(opened_early, "dlopen before the constructors: %s", dlerror());
    const Allocate its_malloc = ((WhichMalloc)function(opened_early, "library_which_malloc"))();
    if (count > 2) {
        CHECK(its_malloc != malloc, "RTLD_DEEPBIND was to be kept");
        ((Release)function(opened_early, "library_free"))(its_malloc(100));
        return 0;
    }
    objects_cross(opened_early);
    caller_is_known(opened_early);
    errors_and_flags_are_kept(opened_early);
    pthread_t threads[4];
    for (int i = 0; i < 4; ++i) {
        CHECK(pthread_create(&threads[i], NULL, open_and_close, NULL) == 0, "no thread");
    }
    for (int i = 0; i < 4; ++i) {
        pthread_join(threads[i], NULL);
    }
    another_namespace_works();
    return 0;
}
