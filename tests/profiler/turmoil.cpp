// SPDX-License-Identifier: MIT
//
// Provokes deadlocks. Taking a stack inside malloc takes locks of the loader and of the unwinder, which other
// threads hold while they allocate. Threads open and close a library, throw exceptions, start threads, fork
// children that do the same, and are interrupted by signals, all at once, while stacks are taken. The process
// that runs this program is the watchdog. Usage: turmoil LIBRARY MILLISECONDS
#include "../programs/check.h"

#include <atomic>
#include <chrono>
#include <csignal>
#include <functional>
#include <pthread.h>
#include <stdexcept>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

Clock::time_point end;
const char* library_path;
std::atomic<long> opened{0};
std::atomic<long> caught{0};
std::atomic<long> forked{0};
std::atomic<long> interrupted{0};

bool goes_on() { return Clock::now() < end; }

[[gnu::noinline]] void allocate(size_t count) {
    std::vector<std::string> strings;
    for (size_t i = 0; i < count; ++i) {
        strings.emplace_back(20 + i * 37 % 2000, 's');
    }
}

struct AllocatesWhenUnwound {
    ~AllocatesWhenUnwound() { allocate(3); }
};

[[gnu::noinline]] void fall(int depth) {
    const AllocatesWhenUnwound guard;
    if (depth == 0) {
        throw std::runtime_error(std::string(300, 'x'));
    }
    fall(depth - 1);
    asm volatile("");
}

void throw_and_catch() {
    try {
        fall(12);
    } catch (const std::exception& error) {
        CHECK(strlen(error.what()) == 300, "another exception was caught");
        caught.fetch_add(1);
    }
}

void open_and_close() {
    void* library = dlopen(library_path, RTLD_NOW | RTLD_LOCAL);
    CHECK(library, "dlopen: %s", dlerror());
    auto use = reinterpret_cast<void* (*)(size_t)>(dlsym(library, "plugin_use"));
    CHECK(use, "the library lacks its function");
    void* object = nullptr;
    std::thread([&] { object = use(500); }).join();
    free(object);
    dlclose(library);
    opened.fetch_add(1);
}

void fork_and_wait() {
    const pid_t child = fork();
    CHECK(child >= 0, "fork failed");
    if (child == 0) {
        allocate(50);
        throw_and_catch();
        std::thread([] { allocate(50); }).join();
        _exit(7);
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7, "a child ended with 0x%x", status);
    forked.fetch_add(1);
}

void repeat(const std::function<void()>& what) {
    while (goes_on()) {
        what();
    }
}

}  // namespace

int main(int count, char** arguments) {
    CHECK(count == 3, "usage: turmoil LIBRARY MILLISECONDS");
    library_path = arguments[1];
    end = Clock::now() + std::chrono::milliseconds(strtol(arguments[2], nullptr, 10));
    struct sigaction action {};
    action.sa_handler = [](int) { interrupted.fetch_add(1); };
    action.sa_flags = SA_RESTART;
    sigaction(SIGUSR1, &action, nullptr);

    std::vector<std::thread> threads;
    for (void (*what)() :
         {open_and_close, throw_and_catch, throw_and_catch, fork_and_wait, +[] { allocate(200); }}) {
        threads.emplace_back([what] { repeat(what); });
    }
    std::thread interrupter([&threads] {
        while (goes_on()) {
            for (std::thread& thread : threads) {
                pthread_kill(thread.native_handle(), SIGUSR1);
            }
            std::this_thread::sleep_for(std::chrono::microseconds(500));
        }
    });
    interrupter.join();
    for (std::thread& thread : threads) {
        thread.join();
    }
    CHECK(opened > 0 && caught > 0 && forked > 0 && interrupted > 0,
          "%ld opened, %ld caught, %ld forked, %ld signals", opened.load(), caught.load(), forked.load(),
          interrupted.load());
    printf("%ld opened, %ld caught, %ld forked, %ld signals\n", opened.load(), caught.load(), forked.load(),
           interrupted.load());
    return 0;
}
