// SPDX-License-Identifier: MIT
// Trap: a thread that only frees is given a full cache for nothing.
// 400 such threads are alive together. Each frees a few of the main thread's objects, of every size. They may
// cost little more than their stacks.
#include "check.h"

#include <atomic>
#include <pthread.h>

namespace {

constexpr int kThreads = 400;
constexpr int kObjects = 8;
void* objects[kThreads][kObjects];
std::atomic<int> waiting;
pthread_barrier_t end;

void* body(void* own) {
    for (int i = 0; i < kObjects; ++i) {
        free(static_cast<void**>(own)[i]);
    }
    ++waiting;
    pthread_barrier_wait(&end);
    return nullptr;
}

}  // namespace

int main() {
    for (auto& own : objects) {
        for (int i = 0; i < kObjects; ++i) {
            own[i] = malloc(size_t{16} << i);
        }
    }
    pthread_t threads[kThreads];
    pthread_barrier_init(&end, nullptr, kThreads + 1);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 64 << 10);
    const size_t before = status_kib("VmRSS:");
    for (int i = 0; i < kThreads; ++i) {
        CHECK(pthread_create(&threads[i], &attributes, body, objects[i]) == 0, "no thread %d", i);
    }
    while (waiting < kThreads) {
        usleep(1000);
    }
    const size_t each = (status_kib("VmRSS:") - before) / kThreads;
    CHECK(each <= 32, "a thread that only frees costs %zu KiB", each);
    pthread_barrier_wait(&end);
    for (pthread_t thread : threads) {
        pthread_join(thread, nullptr);
    }
    return 0;
}
