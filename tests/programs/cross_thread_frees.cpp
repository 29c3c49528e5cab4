// SPDX-License-Identifier: MIT
// Trap: objects that one thread allocates and another frees are subject to every race there is.
// 64 threads exchange objects through shared slots. Every byte carries its owner's pattern from malloc to
// free, so two objects that overlap, or one that is handed out twice, are detected.
#include "check.h"

#include <atomic>
#include <csignal>
#include <malloc.h>
#include <string_view>
#include <sys/time.h>
#include <thread>
#include <vector>

namespace {

constexpr int kThreads = 64;
constexpr int kSlots = 2048;
constexpr int kRounds = 8000;

struct Object {
    size_t size;
    unsigned seed;
    unsigned char bytes[];
};

std::atomic<Object*> slots[kSlots];

Object* make(size_t size, unsigned seed) {
    auto* object = static_cast<Object*>(malloc(sizeof(Object) + size));
    CHECK(object, "malloc(%zu) failed", size);
    object->size = size;
    object->seed = seed;
    pattern_fill(object->bytes, size, seed);
    return object;
}

void destroy(Object* object) {
    if (!object) {
        return;
    }
    pattern_check(object->bytes, object->size, object->seed);
    std::memset(object, 0xdd, sizeof(Object) + object->size);
    free(object);
}

size_t random_size(uint64_t& random) {
    const uint64_t draw = next_random(&random);
    if (draw % 1000 == 0) {
        return 65536 + draw / 1000 % 100000;
    }
    return draw / 1000 % (draw % 16 == 1 ? 8000 : 300);
}

void body(unsigned number) {
    uint64_t random = 0x9e3779b97f4a7c15 * (number + 1);
    for (int i = 0; i < kRounds; ++i) {
        Object* fresh = make(random_size(random), number * 7 + static_cast<unsigned>(i));
        destroy(slots[next_random(&random) % kSlots].exchange(fresh));
    }
}

// Interrupts any system call that the allocator is in.
void send_signals() {
    struct sigaction action = {};
    action.sa_handler = [](int) { errno = EINTR; };
    sigaction(SIGPROF, &action, nullptr);
    const itimerval timer = {{0, 200}, {0, 200}};
    setitimer(ITIMER_PROF, &timer, nullptr);
}

}  // namespace

int main(int count, char** arguments) {
    const std::string_view disturbance = count > 1 ? arguments[1] : "";
    if (disturbance == "signals") {
        send_signals();
    }
    std::atomic<bool> done = false;
    std::thread trimming([&] {
        while (disturbance == "trim" && !done) {
            malloc_trim(0);
        }
    });
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < kThreads; ++i) {
        threads.emplace_back(body, i);
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    done = true;
    trimming.join();
    for (auto& slot : slots) {
        destroy(slot.exchange(nullptr));
    }
    return 0;
}
