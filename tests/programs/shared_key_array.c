// SPDX-License-Identifier: MIT
// Trap: libc keeps a thread's values of 32 pthread keys in one array, which pthread_setspecific allocates for the
// first value and stores afterwards. An allocator that sets a key of its own inside that allocation may get an array
// for the same 32 keys. Libc then replaces it, and nothing tells the allocator when the thread ends.
//
// The program has nearly all keys. Each thread sets one of the highest before it allocates anything else. The memory
// of the thread's stack is then unmapped, so an allocator that did not notice the end of the thread uses memory that
// is gone.
#include "check.h"

#include <malloc.h>
#include <pthread.h>
#include <sys/mman.h>

enum { kWantedKey = 975, kThreads = 16, kStackBytes = 256 << 10 };

static pthread_key_t key;
static int value;
static int destroyed;

static void destroy(void* found) { destroyed += found == &value; }

static void* allocate_only(void* unused) {
    free(opaque(malloc(100)));
    return unused;
}

static void* set_and_allocate(void* large) {
    CHECK(pthread_setspecific(key, &value) == 0, "the value was not set");
    for (int i = 0; i < 100; ++i) {
        free(opaque(malloc(large != NULL ? 200000 : 100)));
    }
    CHECK(pthread_getspecific(key) == &value, "the value was lost");
    return NULL;
}

static void run(void* (*body)(void*), void* argument) {
    void* stack = mmap(NULL, kStackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(stack != MAP_FAILED, "no memory");
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstack(&attributes, stack, kStackBytes);
    pthread_t thread;
    CHECK(pthread_create(&thread, &attributes, body, argument) == 0, "no thread");
    pthread_attr_destroy(&attributes);
    CHECK(pthread_join(thread, NULL) == 0, "no end");
    munmap(stack, kStackBytes);
}

int main(void) {
    run(allocate_only, NULL);  // an allocator may create its key now
    do {
        CHECK(pthread_key_create(&key, destroy) == 0, "no key");
    } while (key < kWantedKey);
    for (int i = 0; i < kThreads; ++i) {
        run(set_and_allocate, i % 2 == 0 ? NULL : &value);
        malloc_trim(0);
    }
    CHECK(destroyed == kThreads, "%d of %d values were destroyed", destroyed, kThreads);
    return 0;
}
