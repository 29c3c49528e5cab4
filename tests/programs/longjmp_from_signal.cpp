// SPDX-License-Identifier: MIT
// Trap: a signal handler leaves by longjmp, out of a system call between two requests. The allocator must not
// depend on the interrupted code being resumed. (Leaving malloc itself in this way is undefined, for any
// malloc.)
#include "check.h"

#include <csetjmp>
#include <csignal>
#include <pthread.h>
#include <vector>

namespace {

constexpr int kJumps = 300;
constexpr int kObjects = 200;

thread_local sigjmp_buf target;
thread_local volatile sig_atomic_t interruptible;

void handler(int) {
    if (interruptible) {
        interruptible = 0;
        siglongjmp(target, 1);
    }
}

void* body(void*) {
    void* objects[kObjects] = {};
    for (volatile int jumps = 0; jumps < kJumps;) {
        for (unsigned i = 0; i < kObjects; ++i) {
            if (objects[i]) {
                pattern_check(objects[i], i * 9 + 1, i);
                free(objects[i]);
            }
            objects[i] = malloc(i * 9 + 1);
            pattern_fill(objects[i], i * 9 + 1, i);
        }
        if (sigsetjmp(target, 1) == 0) {
            interruptible = 1;
            for (;;) {
                pause();
            }
        }
        jumps = jumps + 1;
    }
    for (void* object : objects) {
        free(object);
    }
    return nullptr;
}

}  // namespace

int main() {
    struct sigaction action = {};
    action.sa_handler = handler;
    sigaction(SIGUSR1, &action, nullptr);
    pthread_t threads[4];
    for (pthread_t& thread : threads) {
        CHECK(pthread_create(&thread, nullptr, body, nullptr) == 0, "no thread");
    }
    for (pthread_t thread : threads) {
        while (pthread_tryjoin_np(thread, nullptr) != 0) {
            for (pthread_t other : threads) {
                if (pthread_equal(other, thread)) {
                    pthread_kill(other, SIGUSR1);
                }
            }
            usleep(20);
        }
    }
    return 0;
}
