// SPDX-License-Identifier: MIT
// Trap: taking objects out of another thread's cache races with a fast path that takes no lock. An error does
// not show in tests where threads run freely, but only if a thread is stopped between two instructions of
// malloc for as long as the reclaim takes.
// Here signals stall each thread at random places, while one thread returns all free memory again and again.
// Every word of every object carries its owner's mark.
#include "check.h"

#include <atomic>
#include <csignal>
#include <ctime>
#include <malloc.h>
#include <thread>
#include <vector>

namespace {

constexpr int kThreads = 4;
constexpr unsigned kHeld = 40;
constexpr time_t kSeconds = 3;

std::atomic<bool> done;

void stall(int) {
    const int saved = errno;
    const timespec short_time = {0, 30000};
    nanosleep(&short_time, nullptr);
    errno = saved;
}

// Stalls the calling thread every 400 µs.
timer_t stall_this_thread() {
    sigevent event = {};
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = SIGUSR2;
    event._sigev_un._tid = gettid();
    timer_t timer = {};
    const itimerspec period = {{0, 400000}, {0, 400000}};
    CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0, "no timer");
    CHECK(timer_settime(timer, 0, &period, nullptr) == 0, "no timer");
    return timer;
}

struct Held {
    unsigned* words;
    size_t count;

    void allocate(size_t size, unsigned mark) {
        words = static_cast<unsigned*>(malloc(size));
        count = size / sizeof *words;
        for (size_t i = 0; i < count; ++i) {
            words[i] = mark;
        }
    }
    void release(unsigned mark) {
        for (size_t i = 0; i < count; ++i) {
            CHECK(words[i] == mark, "word %zu of %zu at %p is 0x%x, not 0x%x", i, count,
                  static_cast<void*>(words), words[i], mark);
        }
        free(words);
        words = nullptr;
    }
};

void body(unsigned number) {
    const timer_t timer = stall_this_thread();
    Held held[kHeld] = {};
    uint64_t random = number * 7919;
    while (!done) {
        const uint64_t draw = next_random(&random);
        const unsigned index = draw % kHeld;
        const unsigned mark = number << 16 | index;
        if (held[index].words) {
            held[index].release(mark);
        } else {
            held[index].allocate((draw >> 8) % 4 * 64 + 64, mark);
        }
    }
    timer_delete(timer);
    for (unsigned index = 0; index < kHeld; ++index) {
        if (held[index].words) {
            held[index].release(number << 16 | index);
        }
    }
}

}  // namespace

int main() {
    struct sigaction action = {};
    action.sa_handler = stall;
    action.sa_flags = SA_RESTART;
    sigaction(SIGUSR2, &action, nullptr);
    std::vector<std::thread> threads;
    for (unsigned number = 1; number <= kThreads; ++number) {
        threads.emplace_back(body, number);
    }
    for (const time_t end = time(nullptr) + kSeconds; time(nullptr) < end;) {
        malloc_trim(0);
    }
    done = true;
    for (std::thread& thread : threads) {
        thread.join();
    }
    return 0;
}
