// SPDX-License-Identifier: MIT
// Trap: a thread's first call into the fallback's jemalloc stores a thread-specific value, and
// pthread_setspecific allocates for every key beyond the first 32. If that happens inside fork(), after
// malloc's locks were taken, malloc waits for a lock of its own thread.
// Here sixty-four keys exist. One thread has used the fallback. The threads that fork, trim or query
// statistics have not.
#include "check.h"

#include <malloc.h>
#include <pthread.h>
#include <sys/wait.h>

enum { kKeys = 64, kSeconds = 20 };

static void use_the_fallback(void) {
    free(opaque(malloc(100)));
    void* large = opaque(malloc(1 << 20));
    CHECK(large, "no memory");
    free(large);
}

static void* fork_once(void* unused) {
    (void)unused;
    const pid_t child = fork();
    CHECK(child >= 0, "fork failed");
    if (child == 0) {
        alarm(kSeconds);
        use_the_fallback();
        _exit(7);
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 7,
          "the child ended with status 0x%x", status);
    return NULL;
}

static void* trim_once(void* unused) {
    malloc_trim(0);
    return unused;
}

static void* ask_once(void* unused) {
    (void)mallinfo2();
    return unused;
}

static void* allocate_once(void* unused) {
    (void)unused;
    use_the_fallback();
    return NULL;
}

static void in_a_thread(void* (*body)(void*)) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, body, NULL) == 0, "no thread");
    pthread_join(thread, NULL);
}

int main(void) {
    alarm(kSeconds);
    for (int i = 0; i < kKeys; ++i) {
        pthread_key_t key;
        CHECK(pthread_key_create(&key, NULL) == 0, "no key");
    }
    fork_once(NULL);  // before anybody has used the fallback
    in_a_thread(allocate_once);
    in_a_thread(trim_once);
    in_a_thread(ask_once);
    in_a_thread(fork_once);
    fork_once(NULL);
    return 0;
}
