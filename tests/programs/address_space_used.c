// SPDX-License-Identifier: MIT
// Trap: addresses cost nothing until somebody counts them: ulimit -v, mlockall, core dumps, emulators,
// monitoring that shows VSZ. A small process must have few addresses, and a larger one not many more than it
// uses.
#include "check.h"

enum { kObjects = 100000, kSize = 1000 };

int main(void) {
    static void* objects[kObjects];
    free(opaque(malloc(100)));
    const size_t small = status_kib("VmSize:");
    CHECK(small < 64 << 10, "a process that has allocated 100 bytes has %zu KiB of addresses", small);
    for (size_t i = 0; i < kObjects; ++i) {
        objects[i] = malloc(kSize);
        CHECK(objects[i], "object %zu is refused", i);
    }
    const size_t used_kib = (size_t)kObjects * kSize >> 10;
    const size_t large = status_kib("VmSize:") - small;
    CHECK(large < 2 * used_kib, "%zu KiB of objects have %zu KiB of addresses", used_kib, large);
    for (size_t i = 0; i < kObjects; ++i) {
        free(objects[i]);
    }
    return 0;
}
