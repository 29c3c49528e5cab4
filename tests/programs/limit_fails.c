// SPDX-License-Identifier: MIT
// Trap: an allocator does not recover after a limit was reached, or refuses all requests from then on.
// With HOTLANE_LIMIT=8M and HOTLANE_LIMIT_MODE=fail, small requests are refused with ENOMEM at the limit.
// Freed memory can be allocated again, in the same amount, in this size and in others.
#include "check.h"

#include <malloc.h>

enum { kObjects = 1 << 20 };

static void* objects[kObjects];

static size_t fill_to_the_limit(size_t size) {
    size_t count = 0;
    for (errno = 0; count < kObjects && (objects[count] = malloc(size)); ++count) {
        pattern_fill(objects[count], 16, (unsigned)count);
    }
    CHECK(count < kObjects && errno == ENOMEM, "%zu objects of %zu bytes, errno %d", count, size, errno);
    return count;
}

static void drain(size_t count) {
    for (size_t i = 0; i < count; ++i) {
        pattern_check(objects[i], 16, (unsigned)i);
        free(objects[i]);
    }
}

int main(void) {
    static const size_t kSizes[] = {64, 1000, 64, 20000, 65536, 64};
    for (size_t i = 0; i < sizeof kSizes / sizeof *kSizes; ++i) {
        const size_t count = fill_to_the_limit(kSizes[i]);
        const size_t bytes = count * kSizes[i];
        CHECK(bytes > 6 << 20 && bytes <= 8 << 20, "refused after %zu KiB in objects of %zu bytes",
              bytes >> 10, kSizes[i]);
        drain(count);
        malloc_trim(0);
    }
    return 0;
}
