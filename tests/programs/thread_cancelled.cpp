// SPDX-License-Identifier: MIT
// Trap: pthread_cancel unwinds a thread out of a system call; its cleanup handlers free, and its cache must
// be flushed.
// 500 threads are cancelled between their requests, and memory must not grow.
#include "check.h"

#include <pthread.h>
#include <string>
#include <vector>

namespace {

void* body(void*) {
    std::vector<std::string> unwound;
    void* cleaned = malloc(5000);
    pthread_cleanup_push(free, cleaned);
    for (;;) {
        unwound.assign(100, std::string(100, 'x'));
        free(opaque(malloc(100000)));
        usleep(10);  // the only place where the thread can be cancelled
    }
    pthread_cleanup_pop(1);
    return nullptr;
}

void cancel_threads(int count) {
    for (int i = 0; i < count; i += 10) {
        pthread_t threads[10];
        for (pthread_t& thread : threads) {
            CHECK(pthread_create(&thread, nullptr, body, nullptr) == 0, "no thread");
        }
        usleep(300);
        for (pthread_t thread : threads) {
            pthread_cancel(thread);
        }
        for (pthread_t thread : threads) {
            void* result = nullptr;
            pthread_join(thread, &result);
            CHECK(result == PTHREAD_CANCELED, "a thread ended by itself");
        }
    }
}

}  // namespace

int main() {
    cancel_threads(100);
    const size_t before = status_kib("VmRSS:");
    cancel_threads(400);
    const size_t after = status_kib("VmRSS:");
    CHECK(after < before + 4096, "400 threads took resident memory from %zu to %zu KiB", before, after);
    return 0;
}
