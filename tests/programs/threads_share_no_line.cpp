// SPDX-License-Identifier: MIT
// Trap: two threads that allocate small objects at the same time get neighbours in one cache line, and every
// write of one stalls the other. No line may ever belong to two threads, or to two objects.
#include "check.h"

#include <map>
#include <thread>
#include <vector>

int main() {
    constexpr int kThreads = 6;
    std::vector<void*> objects[kThreads];
    std::vector<std::thread> threads;
    for (auto& own : objects) {
        threads.emplace_back([&own] {
            for (size_t i = 0; i < 20000; ++i) {
                own.push_back(malloc(i % 130));
                if (i % 1000 == 0) {
                    std::this_thread::yield();
                }
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    std::map<uintptr_t, void*> owner_of_line;
    for (const auto& own : objects) {
        for (size_t i = 0; i < own.size(); ++i) {
            const auto start = reinterpret_cast<uintptr_t>(own[i]);
            const uintptr_t last = start + (i % 130 ? i % 130 - 1 : 0);
            for (uintptr_t line = start / 64; line <= last / 64; ++line) {
                const auto [place, fresh] = owner_of_line.emplace(line, own[i]);
                CHECK(fresh, "%p and %p share the line %p", own[i], place->second,
                      reinterpret_cast<void*>(line * 64));
            }
        }
    }
    for (const auto& own : objects) {
        for (void* object : own) {
            free(object);
        }
    }
    return 0;
}
