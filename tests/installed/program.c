// SPDX-License-Identifier: MIT
//
// A C program that is linked with hotlane: every function that allocates must be hotlane's. It relies only on what
// malloc promises, and on the alignment of small objects to 64 bytes.
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXPECT(condition)                                                                                    \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                          \
            exit(1);                                                                                         \
        }                                                                                                    \
    } while (0)

enum { kBlocks = 1000 };

static int is_ours(const void* p) { return p != NULL && (uintptr_t)p % 64 == 0; }

static void* allocate_and_free(void* unused);

// A fork handler may allocate, and wait for a thread that does, whenever it was registered.
static void before_fork(void) {
    pthread_t thread;
    EXPECT(pthread_create(&thread, NULL, allocate_and_free, NULL) == 0);
    allocate_and_free(NULL);
    EXPECT(pthread_join(thread, NULL) == 0);
}

__attribute__((constructor(101))) static void register_early(void) {
    EXPECT(pthread_atfork(before_fork, NULL, NULL) == 0);
}

static void* allocate_and_free(void* unused) {
    (void)unused;
    for (int i = 1; i <= kBlocks; ++i) {
        void* volatile p = malloc((size_t)i);
        EXPECT(is_ours(p));
        memset(p, i, (size_t)i);
        free(p);
    }
    return NULL;
}

static void every_entry_point(void) {
    void* blocks[] = {malloc(20),
                      calloc(3, 7),
                      realloc(NULL, 20),
                      aligned_alloc(32, 64),
                      memalign(32, 20),
                      strdup("a copy that libc makes"),
                      NULL};
    EXPECT(posix_memalign(&blocks[6], 32, 20) == 0);
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; ++i) {
        EXPECT(is_ours(blocks[i]));
        EXPECT(malloc_usable_size(blocks[i]) >= 20);
        free(blocks[i]);
    }
    char* volatile large = calloc(1, 3000000);
    EXPECT(large != NULL && large[2999999] == 0);
    large = realloc(large, 6000000);
    EXPECT(large != NULL);
    free(large);
    volatile size_t too_much = (size_t)-1;
    errno = 0;
    EXPECT(malloc(too_much) == NULL && errno == ENOMEM);
}

static void a_child_goes_on(void) {
    const pid_t child = fork();
    EXPECT(child >= 0);
    if (child == 0) {
        allocate_and_free(NULL);
        _exit(7);
    }
    int status = 0;
    EXPECT(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

int main(void) {
    alarm(60);
    every_entry_point();
    pthread_t thread;
    EXPECT(pthread_create(&thread, NULL, allocate_and_free, NULL) == 0);
    allocate_and_free(NULL);
    EXPECT(pthread_join(thread, NULL) == 0);
    a_child_goes_on();
    puts("all of malloc is hotlane's");
    return 0;
}
