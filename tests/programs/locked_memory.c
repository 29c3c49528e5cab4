// SPDX-License-Identifier: MIT
// Trap: mlockall counts all addresses of a process. An unprivileged program with a modest RLIMIT_MEMLOCK
// cannot lock itself into memory if its allocator reserves many.
// This program gives up its privileges, locks its present memory ("current") or all future memory ("future"),
// and allocates.
#include "check.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

enum { kLeast = 8 << 20, kEnough = 32 << 20, kObjects = 10000, kBlock = 1 << 20 };

// Returns how many bytes may be locked from now on.
static rlim_t give_up_privileges(void) {
    struct rlimit limit = {0, 0};
    getrlimit(RLIMIT_MEMLOCK, &limit);
    if (limit.rlim_max > kEnough) {
        limit.rlim_max = kEnough;
    }
    limit.rlim_cur = limit.rlim_max;
    if (limit.rlim_max < kLeast || setrlimit(RLIMIT_MEMLOCK, &limit) != 0 ||
        (geteuid() == 0 && setuid(65534) != 0)) {
        dprintf(2, "cannot limit locked memory: %s\n", strerror(errno));
        _exit(kSkipped);
    }
    return limit.rlim_cur;
}

int main(int count, char** arguments) {
    CHECK(count == 2, "current|future");
    static void* objects[kObjects];
    free(opaque(malloc(100)));
    const rlim_t lockable = give_up_privileges();
    const int flags = strcmp(arguments[1], "future") == 0 ? MCL_FUTURE : MCL_CURRENT;
    CHECK(mlockall(flags) == 0, "mlockall: %s", strerror(errno));
    for (size_t i = 0; i < kObjects; ++i) {
        objects[i] = malloc(200);
        CHECK(objects[i], "object %zu is refused", i);
        pattern_fill(objects[i], 200, (unsigned)i);
    }
    // The allocator of large blocks maps more than the block, and all of that is locked.
    void* block = flags == MCL_FUTURE && lockable < kEnough ? NULL : malloc(kBlock);
    if (flags == MCL_CURRENT || lockable == kEnough) {
        CHECK(block, "a block of %d bytes is refused", kBlock);
        memset(block, 1, kBlock);
    }
    for (size_t i = 0; i < kObjects; ++i) {
        pattern_check(objects[i], 200, (unsigned)i);
        free(objects[i]);
    }
    free(block);
    return 0;
}
