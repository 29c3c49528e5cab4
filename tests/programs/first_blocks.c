// SPDX-License-Identifier: MIT
// The first few large blocks of a process come without a start of jemalloc, because each C++ program allocates one.
// They must behave as all others do: in every function, in a child, in another thread, and where they become others.
#include "check.h"

#include <malloc.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static long faults(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_minflt;
}

static void* free_it(void* block) {
    free(block);
    return NULL;
}

int main(void) {
    enum { kFirst = 72704 };
    free(opaque(malloc(100)));  // the library's own start
    const long before = faults();
    unsigned char* first = opaque(malloc(kFirst));
    const long used = faults() - before;
    CHECK(used < 30, "the first block took %ld page faults; a start of jemalloc takes more than 80", used);
    memset(first, 1, malloc_usable_size(first));
    CHECK(malloc_usable_size(first) >= kFirst, "%zu bytes are usable", malloc_usable_size(first));

    unsigned char* zeroed = opaque(calloc(1, 100000));
    CHECK(all_bytes_are(zeroed, 100000, 0), "calloc gave other bytes");
    memset(zeroed, 2, 100000);
    unsigned char* same = opaque(realloc(zeroed, 90000));
    CHECK(all_bytes_are(same, 90000, 2), "a smaller block lost its contents");
    unsigned char* moved = opaque(realloc(same, 3 << 20));
    CHECK(all_bytes_are(moved, 90000, 2), "a larger block lost its contents");

    void* aligned = opaque(aligned_alloc(8192, 98304));
    CHECK((uintptr_t)aligned % 8192 == 0, "%p is not aligned to 8192", aligned);
    memset(aligned, 3, 98304);

    const pid_t child = fork();
    CHECK(child >= 0, "no child");
    if (child == 0) {
        CHECK(all_bytes_are(first, kFirst, 1), "the child sees other bytes");
        free(first);
        memset(opaque(malloc(1 << 20)), 4, 1 << 20);
        _exit(0);
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child && status == 0, "the child ended with %d", status);

    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, free_it, first) == 0, "no thread");
    pthread_join(thread, NULL);
    for (int round = 0; round < 20; ++round) {
        void* block = opaque(malloc(kFirst + (size_t)round * 4096));
        memset(block, round, kFirst + (size_t)round * 4096);
        CHECK(all_bytes_are(aligned, 98304, 3), "a block lies in a live one");
        free(block);
    }
    CHECK(all_bytes_are(moved, 90000, 2), "a block lies in a live one");
    free(aligned);
    free(moved);
    return 0;
}
