// SPDX-License-Identifier: MIT
// Trap: when glibc gives a new thread the stack of an ended one, it frees that thread's blocks of
// thread-local storage and only then forgets them. If another thread forks in between, the child gets a stack
// whose blocks are free already, and the child's next pthread_create frees them once more. glibc's own malloc
// does not notice, because the first free went into a cache of the thread that the child lost. A malloc that
// gives such caches to the child must not hand these blocks out twice.
// Here free() is the program's own and stops in the middle, so that the fork comes exactly there.
//
//   fork_beside_create LIBRARY [first]
//
// LIBRARY has thread-local storage and is opened by the program. With `first`, the block is the first that
// its thread frees, and the thread has not allocated either.
#include "check.h"

#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/wait.h>

extern void __libc_free(void* p);

enum { kObjects = 2000, kBlockBytes = 3000, kSeconds = 20 };

static void* (*use_storage)(void);
static __thread int is_creator = 0;
static sem_t stack_is_cached;
static sem_t in_the_middle;
static sem_t forked;
static int stopped_once = 0;

void free(void* p) {
    __libc_free(p);
    if (is_creator && p && !stopped_once) {
        stopped_once = 1;
        sem_post(&in_the_middle);
        sem_wait(&forked);
    }
}

static void* use_and_end(void* unused) {
    CHECK(use_storage() != NULL, "no storage");
    return unused;
}

static void* end(void* unused) { return unused; }

static void create_and_join(void* (*body)(void*)) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, body, NULL) == 0, "no thread");
    pthread_join(thread, NULL);
}

static void* create(void* is_first) {
    if (!is_first) {
        free(malloc(100));  // so that the thread has a cache
        free(malloc(kBlockBytes));
    }
    sem_wait(&stack_is_cached);
    is_creator = 1;
    create_and_join(end);
    is_creator = 0;
    return is_first;
}

// No two live objects of the blocks' size may have the same address.
static void live_as_child(void) {
    static void* objects[kObjects];
    alarm(kSeconds);
    create_and_join(end);  // uses the same stack, and frees the block again
    for (int i = 0; i < kObjects; ++i) {
        objects[i] = malloc(kBlockBytes);
        CHECK(objects[i], "no memory");
        memset(objects[i], 0, kBlockBytes);
    }
    for (int i = 0; i < kObjects; ++i) {
        CHECK(*(int*)objects[i] == 0, "object %d was handed out twice", i);
        *(int*)objects[i] = 1;
    }
    _exit(7);
}

int main(int count, char** arguments) {
    CHECK(count >= 2, "which library?");
    alarm(kSeconds);
    void* library = dlopen(arguments[1], RTLD_NOW);
    CHECK(library, "%s", dlerror());
    *(void**)&use_storage = dlsym(library, "use_storage");
    CHECK(use_storage, "no use_storage");
    sem_init(&stack_is_cached, 0, 0);
    sem_init(&in_the_middle, 0, 0);
    sem_init(&forked, 0, 0);
    pthread_t creator;
    CHECK(pthread_create(&creator, NULL, create, count > 2 ? arguments[2] : NULL) == 0, "no thread");
    create_and_join(use_and_end);
    sem_post(&stack_is_cached);
    sem_wait(&in_the_middle);
    const pid_t child = fork();
    CHECK(child >= 0, "fork failed");
    if (child == 0) {
        live_as_child();
    }
    sem_post(&forked);
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 7,
          "the child ended with status 0x%x", status);
    pthread_join(creator, NULL);
    return 0;
}
