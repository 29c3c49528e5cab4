// SPDX-License-Identifier: MIT
// Trap: fork() takes libc's list of open files after the handlers that take malloc's locks. Three threads
// then wait for each other: one holds a file and allocates, one flushes all files, so that it holds the list
// and waits for the file, and one forks. The children use the list as well.
#include "check.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>

enum { kForks = 300, kObjects = 600, kSeconds = 60 };

static FILE* file;
static atomic_int done;

static void allocate_and_free(void) {
    static __thread void* objects[kObjects];
    for (int i = 0; i < kObjects; ++i) {
        objects[i] = malloc((size_t)(i % 40 + 1) * 100);
    }
    for (int i = 0; i < kObjects; ++i) {
        free(objects[i]);
    }
    free(opaque(malloc(100000)));
}

static void* hold_file(void* unused) {
    while (!done) {
        flockfile(file);
        allocate_and_free();
        funlockfile(file);
        usleep(50);
    }
    return unused;
}

static void* flush_all(void* unused) {
    while (!done) {
        fflush(NULL);
        usleep(50);
    }
    return unused;
}

static void live_as_child(void) {
    alarm(kSeconds);
    allocate_and_free();
    fflush(NULL);
    FILE* own = fopen("/dev/null", "w");
    CHECK(own && fputs("text", own) >= 0 && fclose(own) == 0, "a child cannot write");
    _exit(7);
}

static void fork_once(void) {
    const pid_t child = fork();
    CHECK(child >= 0, "fork failed");
    if (child == 0) {
        live_as_child();
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 7,
          "a child ended with status 0x%x", status);
}

int main(void) {
    alarm(kSeconds);
    file = fopen("/dev/null", "w");
    CHECK(file, "cannot open /dev/null");
    fork_once();  // while there is only one thread
    pthread_t threads[3];
    CHECK(pthread_create(&threads[0], NULL, hold_file, NULL) == 0, "no thread");
    CHECK(pthread_create(&threads[1], NULL, hold_file, NULL) == 0, "no thread");
    CHECK(pthread_create(&threads[2], NULL, flush_all, NULL) == 0, "no thread");
    for (int i = 0; i < kForks; ++i) {
        fork_once();
    }
    done = 1;
    for (int i = 0; i < 3; ++i) {
        pthread_join(threads[i], NULL);
    }
    fork_once();  // and when there is only one again
    return 0;
}
