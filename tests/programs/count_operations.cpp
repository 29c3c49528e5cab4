// SPDX-License-Identifier: MIT
// Does a known number of operations on several threads. counters.py compares it with the report. Some threads
// end before the process does, some objects are freed by another thread than the one that allocated them, and
// some stay live.
//
// usage: count_operations THREADS ROUNDS; prints one line "SIZE ALLOCATIONS FREES" for each size it used
#include "check.h"

#include <pthread.h>

namespace {

// Sizes that nothing else in this program requests: one per class, and two that go to the fallback.
constexpr size_t kSizes[] = {400, 900, 2500, 9000, 50000, 100000, 3000000};
constexpr int kSizeCount = sizeof kSizes / sizeof *kSizes;
constexpr int kKept = 10;  // per thread and size; the main thread frees all but one

long rounds;
void* kept[64][kSizeCount][kKept];

void* body(void* argument) {
    auto& own = *static_cast<void*(*)[kSizeCount][kKept]>(argument);
    for (int s = 0; s < kSizeCount; ++s) {
        const long count = kSizes[s] > 65536 ? rounds / 100 : rounds;
        for (long i = 0; i < count; ++i) {
            void* objects[3];
            for (void*& object : objects) {
                object = malloc(kSizes[s]);
            }
            for (void* object : objects) {
                free(opaque(object));
            }
        }
        for (void*& object : own[s]) {
            object = malloc(kSizes[s]);
        }
    }
    return nullptr;
}

}  // namespace

int main(int count, char** arguments) {
    CHECK(count == 3, "usage: count_operations THREADS ROUNDS");
    const int threads = std::atoi(arguments[1]);
    rounds = std::atol(arguments[2]);
    pthread_t handles[64];
    for (int i = 0; i < threads; ++i) {
        CHECK(pthread_create(&handles[i], nullptr, body, &kept[i]) == 0, "no thread");
    }
    for (int i = 0; i < threads; ++i) {
        pthread_join(handles[i], nullptr);
        for (auto& objects : kept[i]) {
            for (int j = 1; j < kKept; ++j) {
                free(objects[j]);
            }
        }
    }
    for (const size_t size : kSizes) {
        const long each = 3 * (size > 65536 ? rounds / 100 : rounds) + kKept;
        dprintf(1, "%zu %ld %ld\n", size, each * threads, (each - 1) * threads);
    }
    return 0;
}
