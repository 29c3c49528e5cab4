// SPDX-License-Identifier: MIT
// Trap: libc keeps fork handlers in a table that grows by malloc, under a lock that fork() takes again after
// each handler. If one thread registers a handler while another thread's fork holds malloc's locks, the two
// would wait for each other.
#include "check.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>

// There is room for 48 handlers without malloc. Which of the last three makes the table grow depends on how
// many malloc itself has registered.
enum { kRegistered = 46, kMore = 3, kSeconds = 20 };

static atomic_int registering;
static __thread int forking;

// As in a tool that watches locks. Inside fork() it stops for a moment, and the other thread registers now.
int pthread_mutex_trylock(pthread_mutex_t* mutex) {
    static int (*next)(pthread_mutex_t*);
    if (!next) {
        next = (int (*)(pthread_mutex_t*))dlsym(RTLD_NEXT, "pthread_mutex_trylock");
    }
    if (forking) {
        forking = 0;
        registering = 1;
        usleep(200000);
    }
    return next(mutex);
}

// Registered first, so that it runs last, except for malloc's own handlers.
static void before_fork(void) { forking = 1; }

static void register_handlers(int count) {
    for (int i = 0; i < count; ++i) {
        CHECK(pthread_atfork(NULL, NULL, NULL) == 0, "a handler cannot be registered");
    }
}

static void* register_more(void* unused) {
    while (!registering) {
        usleep(100);
    }
    register_handlers(kMore);
    return unused;
}

int main(void) {
    alarm(kSeconds);
    free(opaque(malloc(1 << 20)));  // large blocks have locks of their own
    CHECK(pthread_atfork(before_fork, NULL, NULL) == 0, "a handler cannot be registered");
    register_handlers(kRegistered - 1);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, register_more, NULL) == 0, "no thread");
    const pid_t child = fork();
    CHECK(child >= 0, "fork failed");
    if (child == 0) {
        alarm(kSeconds);
        free(opaque(malloc(100)));
        register_handlers(kMore);
        _exit(7);
    }
    registering = 1;  // in case fork takes no such lock
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 7,
          "the child ended with status 0x%x", status);
    pthread_join(thread, NULL);
    return 0;
}
