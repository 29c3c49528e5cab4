// SPDX-License-Identifier: MIT
// Trap: a program ships its own jemalloc, and its symbols are bound to the jemalloc inside the preloaded
// library.
// Here both are in the process. The program's mallctl, mallocx and sdallocx must be those of its own library;
// malloc must not.
#include "check.h"

#include <jemalloc/jemalloc.h>

static const char* library_of(void* address) {
    Dl_info info;
    CHECK(dladdr(address, &info), "%p belongs to no library", address);
    return info.dli_fname;
}

int main(void) {
    const char* own = library_of(dlsym(RTLD_DEFAULT, "mallctl"));
    CHECK(strstr(own, "libjemalloc"), "mallctl is %s's", own);
    CHECK(!strstr(library_of(dlsym(RTLD_DEFAULT, "malloc")), "libjemalloc"),
          "malloc is the program's jemalloc's");
    const char* version = NULL;
    size_t size = sizeof version;
    CHECK(mallctl("version", (void*)&version, &size, NULL, 0) == 0 && version, "mallctl failed");
    for (size_t bytes = 1; bytes < 4 << 20; bytes *= 3) {
        void* theirs = mallocx(bytes, MALLOCX_ALIGN(64));
        void* ours = malloc(bytes);
        CHECK(theirs && ours, "no memory for %zu bytes", bytes);
        pattern_fill(theirs, bytes, 1);
        pattern_fill(ours, bytes, 2);
        pattern_check(theirs, bytes, 1);
        sdallocx(theirs, bytes, MALLOCX_ALIGN(64));
        pattern_check(ours, bytes, 2);
        free(ours);
    }
    return 0;
}
