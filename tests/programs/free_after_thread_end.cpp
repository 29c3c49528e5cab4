// SPDX-License-Identifier: MIT
// Trap: destructors of thread_local objects and of pthread keys run before, between and after the allocator's
// own, for up to four rounds, and they allocate and free. This must neither crash nor lose memory with each
// thread.
#include "check.h"

#include <pthread.h>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr int kRounds = 4;  // PTHREAD_DESTRUCTOR_ITERATIONS
constexpr int kKeys = 40;   // more than the 32 that a thread has room for from the start

struct State {
    int key;
    int rounds;
};

pthread_key_t keys[kKeys];

// Frees the objects of the previous round, allocates again, and requests another round.
void destroy(void* value) {
    auto* old = static_cast<State*>(value);
    const State state = *old;
    free(old);
    for (size_t size = 1; size < 200000; size *= 5) {
        void* object = malloc(size);
        std::memset(object, 1, size);
        free(realloc(object, size + 100));
    }
    if (state.rounds < kRounds - 1) {
        auto* next = static_cast<State*>(malloc(sizeof(State)));
        *next = {state.key, state.rounds + 1};
        pthread_setspecific(keys[state.key], next);
    }
}

struct Destructed {
    std::vector<std::string> strings;
    ~Destructed() {
        strings.emplace_back(200, 'x');
        strings.resize(1000, std::string(100, 'y'));
    }
};

void body() {
    thread_local Destructed first;
    for (int key = 0; key < kKeys; ++key) {
        auto* state = static_cast<State*>(malloc(sizeof(State)));
        *state = {key, 0};
        pthread_setspecific(keys[key], state);
    }
    first.strings.emplace_back(100, 'z');
}

void run_threads(int count) {
    for (int i = 0; i < count; i += 4) {
        std::vector<std::thread> threads;
        for (int j = 0; j < 4; ++j) {
            threads.emplace_back(body);
        }
        for (std::thread& thread : threads) {
            thread.join();
        }
    }
}

}  // namespace

int main() {
    for (int key = 0; key < kKeys; ++key) {
        CHECK(pthread_key_create(&keys[key], destroy) == 0, "no key");
        free(opaque(malloc(100)));  // if the allocator makes its own key at first use, that key is among them
    }
    run_threads(200);
    const size_t before = status_kib("VmRSS:");
    run_threads(2000);
    const size_t after = status_kib("VmRSS:");
    CHECK(after < before + 4096, "2,000 threads took resident memory from %zu to %zu KiB", before, after);
    return 0;
}
