// SPDX-License-Identifier: MIT
// Trap: a program, or a library that is preloaded to trace or to fake system calls, defines mmap, clock_gettime and
// similar functions, and allocates in its definitions. glibc's malloc does not pass through them. An allocator that does
// is entered again while it serves a request, perhaps with its locks held.
#include "check.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

enum { kKept = 40, kLargest = 60000, kLarge = 200000 };

static __thread int is_inside;
static __thread uint64_t state = 1;

// Random sizes of all classes, so that each call needs memory from the tiers below the thread's cache.
static void allocate(void) {
    if (is_inside) {
        return;
    }
    is_inside = 1;
    void* kept[kKept];
    for (int i = 0; i < kKept; ++i) {
        const size_t size = next_random(&state) % kLargest + 1;
        kept[i] = opaque(malloc(size));
        memset(kept[i], i, size < 64 ? size : 64);
    }
    for (int i = 0; i < kKept; ++i) {
        free(kept[i]);
    }
    free(opaque(calloc(1, kLarge)));
    is_inside = 0;
}

// Defines `name` so that it allocates and then calls libc's function.
#define WRAP(result, name, parameters, ...)                                                                  \
    __attribute__((visibility("default"))) result name parameters {                                          \
        static __typeof__(&name) next;                                                                       \
        allocate();                                                                                          \
        if (next == NULL) {                                                                                  \
            next = (__typeof__(&name))(uintptr_t)dlsym(RTLD_NEXT, #name);                                    \
        }                                                                                                    \
        return next(__VA_ARGS__);                                                                            \
    }

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name)
WRAP(void*, mmap, (void* p, size_t n, int protection, int flags, int file, off_t at), p, n, protection, flags,
     file, at)
WRAP(int, munmap, (void* p, size_t n), p, n)
WRAP(int, mprotect, (void* p, size_t n, int protection), p, n, protection)
WRAP(int, madvise, (void* p, size_t n, int advice), p, n, advice)
WRAP(int, clock_gettime, (clockid_t clock, struct timespec* now), clock, now)
WRAP(int, nanosleep, (const struct timespec* time, struct timespec* left), time, left)
WRAP(int, sched_yield, (void))
WRAP(int, sched_getcpu, (void))
WRAP(int, pthread_mutex_lock, (pthread_mutex_t * mutex), mutex)
WRAP(int, pthread_mutex_trylock, (pthread_mutex_t * mutex), mutex)
WRAP(int, pthread_mutex_unlock, (pthread_mutex_t * mutex), mutex)
WRAP(int, pthread_setspecific, (pthread_key_t key, const void* value), key, value)
WRAP(ssize_t, read, (int file, void* p, size_t n), file, p, n)
WRAP(ssize_t, write, (int file, const void* p, size_t n), file, p, n)
WRAP(int, close, (int file), file)
// NOLINTEND(readability-inconsistent-declaration-parameter-name)

static void* work(void* unused) {
    uint64_t random = 7;
    for (int i = 0; i < 3000; ++i) {
        const size_t size = next_random(&random) % (i % 50 == 0 ? 400000 : 3000) + 1;
        unsigned char* p = opaque(malloc(size));
        p[0] = p[size - 1] = 1;
        p = opaque(realloc(p, size * 2));
        CHECK(p[0] == 1 && p[size - 1] == 1, "realloc lost what was written");
        free(p);
        if (i % 500 == 0) {
            malloc_trim(0);
        }
    }
    return unused;
}

int main(void) {
    pthread_t threads[4];
    work(NULL);
    for (int i = 0; i < 4; ++i) {
        CHECK(pthread_create(&threads[i], NULL, work, NULL) == 0, "no thread");
    }
    for (int i = 0; i < 4; ++i) {
        const pid_t child = fork();
        if (child == 0) {
            work(NULL);
            _exit(0);
        }
        int status = 1;
        CHECK(waitpid(child, &status, 0) == child && status == 0, "the child ended with %d", status);
        pthread_join(threads[i], NULL);
    }
    return 0;
}
