// SPDX-License-Identifier: MIT
// Trap: a request for zero bytes must still return an address of its own, from every entry point.
#include "check.h"

#include <new>
#include <set>

int main() {
    std::set<void*> seen;
    const auto keep = [&seen](const char* name, void* object) {
        CHECK(object, "%s gave null", name);
        CHECK(seen.insert(object).second, "%s gave %p a second time", name, object);
    };
    for (int i = 0; i < 1000; ++i) {
        keep("malloc(0)", malloc(0));
        keep("calloc(0, 8)", calloc(0, 8));
        keep("calloc(8, 0)", calloc(8, 0));
        keep("realloc(null, 0)", realloc(nullptr, 0));
        keep("aligned_alloc(64, 0)", aligned_alloc(64, 0));
        void* object = nullptr;
        CHECK(posix_memalign(&object, 4096, 0) == 0, "posix_memalign(4096, 0) failed");
        keep("posix_memalign(4096, 0)", object);
        keep("operator new(0)", operator new(0));
    }
    for (void* object : seen) {
        free(object);
    }
    return 0;
}
