// SPDX-License-Identifier: MIT
//
// Allocates known numbers of objects in inlined functions, templates, the C++ library and a thread.
// command_test.py runs it under `hotlane profile`.
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

#define NOINLINE [[gnu::noinline]]

namespace shop {

void* volatile sink;

struct Order {
    std::string name;
    std::vector<int> lines;
};
std::vector<Order>* orders;

NOINLINE void place(size_t i) { (*orders)[i] = {std::string(200, 'x'), std::vector<int>(40)}; }

inline __attribute__((always_inline)) void* scratch(size_t n) {
    sink = malloc(n);
    return sink;
}

NOINLINE void temporary(int count) {
    for (int i = 0; i < count; ++i) {
        free(scratch(3000));
    }
}

NOINLINE void leak(int count) {
    for (int i = 0; i < count; ++i) {
        sink = new char[70000];
    }
}

template <typename T>
NOINLINE void work(T count) {
    for (T i = 0; i < count; ++i) {
        sink = new T{i};
    }
}

}  // namespace shop

int main(int argc, char** argv) {
    constexpr size_t kOrders = 2000;
    shop::orders = new std::vector<shop::Order>(kOrders);
    for (size_t i = 0; i < kOrders; ++i) {
        shop::place(i);
    }
    shop::temporary(1000);
    shop::leak(100);
    std::thread worker{shop::work<long>, 5000};
    worker.join();
    if (argc > 1 && strcmp(argv[1], "--wait") == 0) {
        const ssize_t ready = write(STDOUT_FILENO, "ready\n", 6);
        pause();
        return ready == 6 ? 0 : 1;
    }
    return 3;
}
