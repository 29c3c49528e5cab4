// SPDX-License-Identifier: MIT
// The resolver of an ifunc allocates and frees. The dynamic linker calls it before it gives the thread's variables their
// initial values, which overwrites what malloc has stored in such a variable until then.
// Prints one line "SIZE ALLOCATIONS FREES" for each size it used; counters.py compares it with the report.
#include "check.h"

enum { kCount = 200, kSizes = 4 };
static const size_t sizes[kSizes] = {400, 900, 2500, 100000};  // nothing else here requests these
static unsigned char* objects[kSizes][kCount];

static unsigned char* filled(int size, int i) {
    unsigned char* object = malloc(sizes[size]);
    for (size_t at = 0; at < sizes[size]; ++at) {
        object[at] = (unsigned char)(size * 50 + i);
    }
    return object;
}

static int one(void) { return 1; }

__attribute__((used)) static int (*resolve_one(void))(void) {
    for (int size = 0; size < kSizes; ++size) {
        for (int i = 0; i < kCount; ++i) {
            objects[size][i] = filled(size, i);
        }
        for (int i = 0; i < kCount; i += 2) {
            free(objects[size][i]);
        }
    }
    return one;
}

int one_or_other(void) __attribute__((ifunc("resolve_one")));

int main(void) {
    CHECK(one_or_other() == 1, "the wrong function");
    for (int size = 0; size < kSizes; ++size) {
        for (int i = 0; i < kCount; i += 2) {
            objects[size][i] = filled(size, i);
        }
    }
    for (int size = 0; size < kSizes; ++size) {
        for (int i = 0; i < kCount; ++i) {
            for (size_t at = 0; at < sizes[size]; ++at) {
                CHECK(objects[size][i][at] == (unsigned char)(size * 50 + i), "byte %zu", at);
            }
            free(objects[size][i]);
        }
        dprintf(1, "%zu %d %d\n", sizes[size], kCount * 3 / 2, kCount * 3 / 2);
    }
    return 0;
}
