// SPDX-License-Identifier: MIT
// Trap: a signal handler may fork, and it may interrupt its own thread anywhere: inside fork(), or inside
// malloc while that holds a lock. In a process with one thread, parent and child both return into the
// interrupted call and go on, as they do with libc's own malloc. With more threads, the child of such a
// handler may only execute another program or end, and the parent must not be affected.
//
//   fork_in_handler forking | allocating | threads
#include "check.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/time.h>
#include <sys/wait.h>

enum { kChildren = 40, kSlots = 2000, kSeconds = 60 };

static volatile sig_atomic_t children = 0;
static volatile sig_atomic_t in_child = 0;
static int children_return = 0;

static void stop_timer(void) {
    const struct itimerval never = {{0, 0}, {0, 0}};
    setitimer(ITIMER_REAL, &never, NULL);
}

static void start_timer(void) {
    const struct itimerval soon = {{0, 0}, {0, 300}};
    setitimer(ITIMER_REAL, &soon, NULL);
}

static void wait_for(pid_t child) {
    int status = 0;
    pid_t ended;
    do {
        ended = waitpid(child, &status, 0);
    } while (ended < 0 && errno == EINTR);
    CHECK(ended == child && WIFEXITED(status) && WEXITSTATUS(status) == 7, "a child ended with status 0x%x",
          status);
}

static void fork_here(int signal_number) {
    (void)signal_number;
    const int saved_errno = errno;
    const pid_t child = fork();
    CHECK(child >= 0, "fork failed");
    if (child == 0) {
        if (!children_return) {
            _exit(7);
        }
        in_child = 1;
        children = 0;
    } else {
        wait_for(child);
        ++children;
        start_timer();
    }
    errno = saved_errno;
}

static void exchange(void** slots, uint64_t* random, int rounds) {
    for (int i = 0; i < rounds; ++i) {
        const uint64_t chosen = next_random(random);
        void** slot = &slots[chosen % kSlots];
        free(*slot);
        const size_t size =
            chosen >> 32 & 63 ? (size_t)(chosen >> 20) % 2000 : (size_t)(chosen >> 20) % 200000;
        *slot = malloc(size + 8);
        pattern_fill(*slot, 8, (unsigned)(slot - slots));
    }
}

static void check_slots(void** slots) {
    for (int i = 0; i < kSlots; ++i) {
        if (slots[i]) {
            pattern_check(slots[i], 8, (unsigned)i);
        }
    }
}

// Allocates until there were enough children. A child that returned from the handler runs on for a while.
static void allocate_until_done(uint64_t random) {
    void** slots = calloc(kSlots, sizeof *slots);
    CHECK(slots, "no memory");
    while (children < kChildren && !in_child) {
        exchange(slots, &random, 50);
    }
    exchange(slots, &random, in_child ? 3000 : 0);
    check_slots(slots);
    for (int i = 0; i < kSlots; ++i) {
        free(slots[i]);
    }
    free(slots);
    if (in_child) {
        _exit(7);
    }
}

static void fork_until_done(void) {
    while (children < kChildren) {
        const pid_t child = fork();
        CHECK(child >= 0, "fork failed");
        if (child == 0) {
            free(opaque(malloc(100)));
            _exit(7);
        }
        wait_for(child);
    }
}

static void* allocate_in_thread(void* argument) {
    sigset_t alarms;
    sigemptyset(&alarms);
    sigaddset(&alarms, SIGALRM);
    pthread_sigmask(SIG_BLOCK, &alarms, NULL);
    allocate_until_done((uint64_t)(uintptr_t)argument * 0x9e3779b97f4a7c15);
    return NULL;
}

int main(int count, char** arguments) {
    CHECK(count == 2, "forking, allocating or threads?");
    const char* mode = arguments[1];
    struct sigaction action = {.sa_handler = fork_here, .sa_flags = SA_RESTART};
    CHECK(sigaction(SIGALRM, &action, NULL) == 0, "no handler");
    children_return = strcmp(mode, "allocating") == 0;
    start_timer();
    if (strcmp(mode, "forking") == 0) {
        fork_until_done();
    } else if (strcmp(mode, "allocating") == 0) {
        allocate_until_done(88172645463325252);
    } else {
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, allocate_in_thread, (void*)1) == 0, "no thread");
        allocate_until_done(88172645463325252);
        pthread_join(thread, NULL);
    }
    stop_timer();
    return 0;
}
