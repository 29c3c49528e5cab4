/* SPDX-License-Identifier: MIT
 * Pools heed a limit of 8 MiB: HOTLANE_POOL_LIMIT, or HOTLANE_LIMIT with the mode `fail`. Destroyed pools and
 * chunks that are given back make room again. */
#include "hotlane/hotlane.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define EXPECT(condition)                                                                                    \
    ((condition) ? (void)0 : (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition), exit(1)))

static const size_t kMiB = (size_t)1 << 20;

static hotlane_pool* pool_of(size_t bytes) { return hotlane_pool_create("limited", 4096, bytes / 4096, 0); }

static void refuses_what_exceeds_the_limit(void) {
    hotlane_pool* half;
    struct hotlane_pool_class class_of_set = {4096, 1024, 0};
    struct hotlane_pool_set_settings set = {"limited set", NULL, 1, 0, 0, 0};
    errno = 0;
    EXPECT(pool_of(64 * kMiB) == NULL && errno == ENOMEM);
    half = pool_of(4 * kMiB);
    EXPECT(half != NULL);
    EXPECT(pool_of(5 * kMiB) == NULL);
    set.classes = &class_of_set;
    class_of_set.capacity = 1280; /* 5 MiB */
    errno = 0;
    EXPECT(hotlane_pool_set_create(&set, sizeof set) == NULL && errno == ENOMEM);
    hotlane_pool_destroy(half);
}

static void growth_stops_at_the_limit(void) {
    const struct hotlane_pool_settings settings = {"growing", 65536, 16, 1024, 2, 0};
    hotlane_pool* pool = hotlane_pool_create_with(&settings, sizeof settings);
    static void* held[1024];
    size_t count = 0;
    EXPECT(pool != NULL);
    while (count < 1024 && (held[count] = hotlane_pool_get(pool)) != NULL) {
        ++count;
    }
    EXPECT(count >= 32 && count <= 128);
    EXPECT(pool_of(5 * kMiB) == NULL);
    while (count > 0) {
        hotlane_pool_put(pool, held[--count]);
    }
    EXPECT(hotlane_pool_trim(pool) > 0);
    hotlane_pool_destroy(pool_of(5 * kMiB));
    hotlane_pool_destroy(pool);
}

/* With HOTLANE_LIMIT, objects and pools share the limit. */
static void pools_and_objects_share_it(void) {
    hotlane_pool* pool = pool_of(4 * kMiB);
    size_t count = 0;
    void* chain = NULL;
    EXPECT(pool != NULL);
    for (void** p; count < 4096 && (p = malloc(4096)) != NULL; ++count) {
        *p = chain;
        chain = p;
    }
    EXPECT(count * 4096 <= 4 * kMiB);
    while (chain != NULL) {
        void* next = *(void**)chain;
        free(chain);
        chain = next;
    }
    hotlane_pool_destroy(pool);
}

int main(int argc, char** argv) {
    int round;
    for (round = 0; round < 3; ++round) { /* the second time only works if everything was counted back */
        refuses_what_exceeds_the_limit();
        growth_stops_at_the_limit();
        if (argc > 1 && argv[1][0] == 's') {
            pools_and_objects_share_it();
            hotlane_purge();
        }
    }
    return 0;
}
