// SPDX-License-Identifier: MIT
// Trap: libc itself frees memory in a thread that is past all its destructors. A detached thread that ends
// puts its stack into a cache, and may then have to free hundreds of other stacks. If an allocator sets up
// its state for this thread then, it is never told of the thread's end and keeps pointers into its stack.
#include "check.h"

#include <limits.h>
#include <malloc.h>
#include <pthread.h>

enum { kSmallStacks = 300 };

// libc caches stacks of up to 40 MiB in all. The first size displaces small stacks, the second all of them.
static const size_t kLargeStack = (size_t)39 << 20;
static const size_t kLargestStack = (size_t)41 << 20;

static pthread_barrier_t all_run;

static void* wait_for_all(void* unused) {
    pthread_barrier_wait(&all_run);
    return unused;
}

// The thread allocates nothing, and frees nothing itself.
static void* do_nothing(void* unused) { return unused; }

static void fill_cache_of_stacks(void) {
    pthread_t threads[kSmallStacks];
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 2 * (size_t)PTHREAD_STACK_MIN);
    pthread_barrier_init(&all_run, NULL, kSmallStacks);
    for (int i = 0; i < kSmallStacks; ++i) {
        CHECK(pthread_create(&threads[i], &attributes, wait_for_all, NULL) == 0, "no thread");
    }
    for (int i = 0; i < kSmallStacks; ++i) {
        CHECK(pthread_join(threads[i], NULL) == 0, "no end");
    }
    pthread_barrier_destroy(&all_run);
    pthread_attr_destroy(&attributes);
}

static void end_detached(size_t stack_bytes) {
    pthread_t thread;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, stack_bytes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    CHECK(pthread_create(&thread, &attributes, do_nothing, NULL) == 0, "no thread");
    usleep(20000);  // long after its end
    pthread_attr_destroy(&attributes);
}

int main(void) {
    for (int turn = 0; turn < 3; ++turn) {
        fill_cache_of_stacks();
        end_detached(kLargeStack);
        end_detached(kLargestStack);
        malloc_trim(0);
    }
    return 0;
}
