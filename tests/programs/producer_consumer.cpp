// SPDX-License-Identifier: MIT
// Trap: objects that a consumer frees pile up in its cache, while the producer takes fresh memory for ever.
// Pairs of threads hand a million objects over. Resident memory must be flat after the first tenth.
#include "check.h"

#include <atomic>
#include <thread>
#include <vector>

namespace {

constexpr int kObjects = 1000000;
constexpr unsigned kRing = 1024;

struct Pair {
    std::atomic<void*> ring[kRing] = {};
};

void produce(Pair& pair, int objects) {
    for (int i = 0; i < objects; ++i) {
        void* object = malloc(static_cast<size_t>(i) % 13 * 60 + 1);
        std::memset(object, i, 8);
        while (pair.ring[static_cast<unsigned>(i) % kRing].load(std::memory_order_acquire)) {
            std::this_thread::yield();
        }
        pair.ring[static_cast<unsigned>(i) % kRing].store(object, std::memory_order_release);
    }
}

void consume(Pair& pair, int objects) {
    for (int i = 0; i < objects; ++i) {
        void* object = nullptr;
        while (!(object = pair.ring[static_cast<unsigned>(i) % kRing].exchange(nullptr))) {
            std::this_thread::yield();
        }
        free(object);
    }
}

void hand_over(Pair& pair, int objects) {
    std::thread consumer(consume, std::ref(pair), objects);
    produce(pair, objects);
    consumer.join();
}

}  // namespace

int main() {
    static Pair pairs[2];
    size_t resident[2] = {};
    for (int part = 0; part < 2; ++part) {
        const int objects = part == 0 ? kObjects / 10 : kObjects;
        std::vector<std::thread> threads;
        for (Pair& pair : pairs) {
            threads.emplace_back([&pair, objects] { hand_over(pair, objects); });
        }
        for (std::thread& thread : threads) {
            thread.join();
        }
        resident[part] = status_kib("VmRSS:");
    }
    CHECK(resident[1] < resident[0] + 4096, "resident memory went from %zu to %zu KiB", resident[0],
          resident[1]);
    return 0;
}
