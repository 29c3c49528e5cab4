// SPDX-License-Identifier: MIT
// Trap: malloc is not a cancellation point. A cancelled thread that writes the statistics and a profile from
// its slow path must return from malloc, and no lock may stay taken.
#include "check.h"

#include <atomic>
#include <ctime>
#include <pthread.h>

namespace {

std::atomic<bool> cancelled{false};
std::atomic<bool> came_out{false};

double seconds() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

void allocate_for(double duration) {
    const double end = seconds() + duration;
    while (seconds() < end) {
        for (size_t size = 16; size < 200'000; size *= 3) {
            free(opaque(malloc(size)));
        }
    }
}

void* body(void*) {
    while (!cancelled) {
    }
    allocate_for(0.6);
    came_out = true;
    pthread_testcancel();
    return nullptr;
}

}  // namespace

int main() {
    pthread_t thread;
    CHECK(pthread_create(&thread, nullptr, body, nullptr) == 0, "no thread");
    CHECK(pthread_cancel(thread) == 0, "not cancelled");
    cancelled = true;
    void* result = nullptr;
    pthread_join(thread, &result);
    CHECK(result == PTHREAD_CANCELED, "the thread was not cancelled");
    CHECK(came_out, "the thread was cancelled inside malloc");
    allocate_for(0.3);
    return 0;
}
