// SPDX-License-Identifier: MIT
// The first few large blocks of a process come without a start of jemalloc, because each C++ program allocates one, and
// many allocate only a few.
// They must behave as all others do: in every function, in a child, in another thread, and where they become others.
#include "check.h"

#include <malloc.h>
#include <pthread.h>
#include <sys/mman.h>
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

/// Under a limit, a freed block must not keep its addresses, which a stack or a library may need.
static void free_under_limit(void) {
    enum { kBlocks = 15, kBytes = 4 << 20, kLimit = 96 << 20, kNeeded = 48 << 20 };
    char text[64] = "";
    FILE* statm = fopen("/proc/self/statm", "re");
    CHECK(statm && fgets(text, sizeof text, statm), "cannot read statm");
    fclose(statm);
    const rlim_t limit = strtoull(text, NULL, 10) * (rlim_t)sysconf(_SC_PAGESIZE) + kLimit;
    CHECK(setrlimit(RLIMIT_AS, &(struct rlimit){limit, limit}) == 0, "no limit");
    void* blocks[kBlocks];
    for (int i = 0; i < kBlocks; ++i) {
        blocks[i] = opaque(malloc(kBytes));
        CHECK(blocks[i], "no block %d", i);
    }
    for (int i = 0; i < kBlocks; ++i) {
        free(blocks[i]);
    }
    CHECK(mmap(NULL, kNeeded, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED,
          "freed blocks keep their addresses");
}

int main(int count, char** arguments) {
    (void)arguments;
    if (count == 2) {
        free_under_limit();
        return 0;
    }
    enum { kFirst = 72704 };
    free(opaque(malloc(100)));  // the library's own start
    const long before = faults();
    unsigned char* first = opaque(malloc(kFirst));
    const long used = faults() - before;
    CHECK(used < 30, "the first block took %ld page faults; a start of jemalloc takes more than 80", used);
    free(opaque(malloc(3 << 20)));
    CHECK(faults() - before < 60, "two blocks took %ld page faults", faults() - before);
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
