// SPDX-License-Identifier: MIT
// Trap: a process can end in many ways while other threads allocate. Their requests must be served to the
// last instant, exit must not wait for a lock that is left held, and the exit status must be the program's
// own. The argument names the way.
#include "check.h"

#include <atomic>
#include <csignal>
#include <pthread.h>
#include <thread>

namespace {

std::atomic<int> running;

void allocate_for_ever() {
    ++running;
    void* objects[64] = {};
    uint64_t random = reinterpret_cast<uintptr_t>(&objects) | 1;
    for (;;) {
        const uint64_t draw = next_random(&random);
        free(objects[draw % 64]);
        objects[draw % 64] = malloc(draw / 64 % 100 ? draw / 6400 % 2000 : draw / 6400 % 300000);
    }
}

void allocate() {
    for (size_t size = 1; size < 1 << 20; size *= 2) {
        std::free(opaque(std::calloc(1, size)));
    }
}

void end(const char* way) {
    if (std::strcmp(way, "exit") == 0) {
        std::exit(40);
    } else if (std::strcmp(way, "quick_exit") == 0) {
        std::at_quick_exit(allocate);
        std::quick_exit(41);
    } else if (std::strcmp(way, "_exit") == 0) {
        _exit(42);
    } else if (std::strcmp(way, "abort") == 0) {
        std::abort();
    } else if (std::strcmp(way, "kill") == 0) {
        raise(SIGTERM);
    } else if (std::strcmp(way, "exit_from_thread") == 0) {
        std::thread([] { std::exit(43); }).join();
    } else if (std::strcmp(way, "pthread_exit") == 0) {
        std::thread([] {
            usleep(20000);
            std::exit(44);
        }).detach();
        pthread_exit(nullptr);
    }
}

}  // namespace

int main(int count, char** arguments) {
    CHECK(count == 2, "usage: ends WAY");
    std::atexit(allocate);
    for (int i = 0; i < 4; ++i) {
        std::thread(allocate_for_ever).detach();
    }
    while (running < 4) {
        usleep(100);
    }
    usleep(5000);
    end(arguments[1]);
    CHECK(std::strcmp(arguments[1], "return") == 0, "no way %s", arguments[1]);
    return 45;
}
