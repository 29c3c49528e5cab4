// SPDX-License-Identifier: MIT
// Trap: an allocator that skips the memset for memory fresh from the kernel must know which memory is fresh.
// Several threads fill and free objects of every class, large ones too, with purges in between. Every calloc
// must be zero up to the last requested byte.
#include "check.h"

#include <malloc.h>
#include <thread>
#include <vector>

namespace {

void check_size(size_t size, int count) {
    std::vector<void*> objects;
    for (int round = 0; round < 3; ++round) {
        for (int i = 0; i < count; ++i) {
            void* object = i % 2 ? calloc(1, size) : calloc(size, 1);
            CHECK(object, "calloc of %zu failed", size);
            CHECK(all_bytes_are(object, size, 0), "calloc of %zu bytes is not zero in round %d", size, round);
            std::memset(object, 0xff, malloc_usable_size(object));
            objects.push_back(object);
        }
        for (void* object : objects) {
            free(object);
        }
        objects.clear();
        if (round == 1) {
            malloc_trim(0);
        }
    }
}

void check_sizes(size_t first) {
    for (size_t size = first; size <= 1100; size += 52) {
        check_size(size, 40);
    }
    for (size_t size = 1100 + first; size <= 66000; size += size / 6) {
        check_size(size, 12);
    }
    for (size_t size = 66000 + first; size <= 6 << 20; size += size) {
        check_size(size, 3);
    }
}

}  // namespace

int main() {
    std::vector<std::thread> threads;
    for (size_t first = 1; first <= 4; ++first) {
        threads.emplace_back(check_sizes, first * 13);
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    return 0;
}
