// SPDX-License-Identifier: MIT
// Trap: fork copies the locks as they are, but only one thread. A child inherits locks that no thread will
// release, and caches that no thread owns.
// Eight threads allocate and exchange objects, and any of them may fork, a thousand times in all. Each child
// allocates, checks what it inherited, starts a thread, forks again, and exits through exit().
#include "check.h"

#include <atomic>
#include <sys/wait.h>
#include <thread>
#include <vector>

namespace {

constexpr int kThreads = 8;
constexpr int kForksPerThread = 125;
constexpr int kSlots = 512;
constexpr size_t kSize = 200;

std::atomic<void*> slots[kSlots];

void exchange(uint64_t& random, int rounds) {
    for (int i = 0; i < rounds; ++i) {
        const size_t size = kSize + next_random(&random) % 16 * 100;
        void* fresh = malloc(size);
        pattern_fill(fresh, kSize, 5);
        void* old = slots[next_random(&random) % kSlots].exchange(fresh);
        if (old) {
            pattern_check(old, kSize, 5);
            free(old);
        }
        if (i % 100 == 0) {
            free(opaque(malloc(100000)));
        }
    }
}

void wait_for(pid_t child) {
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child, "waitpid failed");
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7, "a child ended with status 0x%x", status);
}

[[noreturn]] void live_as_child(uint64_t random, int generation) {
    alarm(60);  // a child that waits for a lock that no thread holds must not wait for ever
    exchange(random, 500);
    std::vector<std::thread> threads;
    threads.emplace_back([random] {
        uint64_t own = random ^ 0x5555;
        exchange(own, 200);
    });
    if (generation < 2 && random % 10 == 0) {
        const pid_t child = fork();
        CHECK(child >= 0, "fork failed in a child");
        if (child == 0) {
            threads[0].detach();
            live_as_child(random + 1, generation + 1);
        }
        wait_for(child);
    }
    threads[0].join();
    std::exit(7);
}

void body(unsigned number) {
    uint64_t random = 0x2545f4914f6cdd1d * (number + 1);
    for (int i = 0; i < kForksPerThread; ++i) {
        exchange(random, 300);
        const pid_t child = fork();
        CHECK(child >= 0, "fork failed: %s", strerror(errno));
        if (child == 0) {
            live_as_child(random, 1);
        }
        wait_for(child);
    }
}

}  // namespace

int main() {
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < kThreads; ++i) {
        threads.emplace_back(body, i);
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    return 0;
}
