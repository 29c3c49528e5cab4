// SPDX-License-Identifier: MIT
// Trap: fork takes every lock there is, and the child takes over the caches of the threads it lost. With many
// of either, this takes long.
// Five hundred threads that cached objects of eight sizes sleep. The best of ten forks must return soon, in
// the parent and in the child. Processor time is measured, because it does not include the time of other
// processes on a busy machine.
#include "check.h"

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <ctime>
#include <mutex>
#include <sys/wait.h>
#include <thread>
#include <vector>

namespace {

constexpr int kThreads = 500;
constexpr int kForks = 10;
constexpr double kMostMilliseconds = 60;

std::mutex lock;
std::condition_variable changed;
int sleeping = 0;
bool done = false;

void cache_and_sleep() {
    void* objects[8][16];
    for (size_t size = 0; size < 8; ++size) {
        for (void*& object : objects[size]) {
            object = malloc(64 << size);
        }
    }
    for (auto& of_a_size : objects) {
        for (void* object : of_a_size) {
            free(object);
        }
    }
    std::unique_lock guard(lock);
    ++sleeping;
    changed.notify_all();
    changed.wait(guard, [] { return done; });
}

double milliseconds(clockid_t clock) {
    timespec now{};
    clock_gettime(clock, &now);
    return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

/// How long fork took to return in the parent, and in the child.
void fork_once(double* in_parent, double* in_child) {
    int ends[2];
    CHECK(pipe(ends) == 0, "no pipe");
    const double begin = milliseconds(CLOCK_THREAD_CPUTIME_ID);
    const pid_t child = fork();
    // The child's clock starts with the child.
    const double took = milliseconds(CLOCK_THREAD_CPUTIME_ID) - (child == 0 ? 0 : begin);
    CHECK(child >= 0, "fork failed");
    if (child == 0) {
        free(opaque(malloc(100)));
        _exit(write(ends[1], &took, sizeof took) == sizeof took ? 0 : 1);
    }
    double child_took = 0;
    CHECK(read(ends[0], &child_took, sizeof child_took) == sizeof child_took, "no word from the child");
    waitpid(child, nullptr, 0);
    close(ends[0]);
    close(ends[1]);
    *in_parent = std::min(*in_parent, took);
    *in_child = std::min(*in_child, child_took);
}

}  // namespace

int main(int count, char**) {
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
        threads.emplace_back(cache_and_sleep);
    }
    {
        std::unique_lock guard(lock);
        changed.wait(guard, [] { return sleeping == kThreads; });
    }
    double in_parent = 1e9;
    double in_child = 1e9;
    for (int i = 0; i < kForks; ++i) {
        fork_once(&in_parent, &in_child);
    }
    if (count > 1) {
        printf("fork with %d threads: %.2f ms in the parent, %.2f in the child\n", kThreads, in_parent,
               in_child);
    }
    CHECK(in_parent < kMostMilliseconds, "fork took %.2f ms in the parent", in_parent);
    CHECK(in_child < kMostMilliseconds, "fork took %.2f ms in the child", in_child);
    {
        const std::lock_guard guard(lock);
        done = true;
        changed.notify_all();
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    return 0;
}
