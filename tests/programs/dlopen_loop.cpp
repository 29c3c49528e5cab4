// SPDX-License-Identifier: MIT
// Trap: a library that is opened and closed again and again allocates in its constructor, its thread_local
// objects and its destructor, and the loader itself allocates under its own lock.
// There must be no deadlock and no growth, and objects that the library returned must outlive it.
#include "check.h"

#include <atomic>
#include <thread>
#include <vector>

namespace {

using Use = void* (*)(size_t);

void open_and_close(const char* path, int times) {
    for (int i = 0; i < times; ++i) {
        void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        CHECK(library, "dlopen: %s", dlerror());
        auto use = reinterpret_cast<Use>(dlsym(library, "plugin_use"));
        CHECK(use, "the library lacks its function");
        void* survivor = nullptr;
        std::thread([&] { survivor = use(500); }).join();
        pattern_fill(survivor, 500, 1);
        dlclose(library);
        pattern_check(survivor, 500, 1);
        free(survivor);
    }
}

}  // namespace

int main(int count, char** arguments) {
    CHECK(count == 2, "usage: dlopen_loop LIBRARY");
    std::atomic<bool> done = false;
    std::thread background([&] {
        while (!done) {
            std::vector<std::thread> threads;
            for (int i = 0; i < 4; ++i) {
                threads.emplace_back([] { free(opaque(malloc(100))); });
            }
            for (std::thread& thread : threads) {
                thread.join();
            }
        }
    });
    open_and_close(arguments[1], 100);
    const size_t before = status_kib("VmRSS:");
    open_and_close(arguments[1], 400);
    const size_t after = status_kib("VmRSS:");
    CHECK(after < before + 4096, "400 rounds took resident memory from %zu to %zu KiB", before, after);
    done = true;
    background.join();
    return 0;
}
