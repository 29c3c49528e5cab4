// SPDX-License-Identifier: MIT
// Trap: an allocator opened by dlopen needs thread-local storage that was not reserved at start, and leaves a
// thread key whose destructor is unmapped by dlclose.
// The library is opened while threads exist, used beside libc's malloc, and closed; the threads end after
// that. It is not preloaded here.
#include "check.h"

#include <pthread.h>
#include <thread>
#include <vector>

namespace {

using Malloc = void* (*)(size_t);
using Free = void (*)(void*);

void use(Malloc library_malloc, Free library_free) {
    std::vector<void*> objects;
    for (unsigned i = 0; i < 3000; ++i) {
        objects.push_back(library_malloc(i + 1));
        pattern_fill(objects.back(), i + 1, i);
    }
    for (unsigned i = 0; i < 3000; ++i) {
        pattern_check(objects[i], i + 1, i);
        library_free(objects[i]);
    }
}

}  // namespace

int main(int count, char** arguments) {
    CHECK(count == 2, "usage: dlopened_late LIBRARY");
    pthread_barrier_t opened;
    pthread_barrier_t closed;
    pthread_barrier_init(&opened, nullptr, 5);
    pthread_barrier_init(&closed, nullptr, 5);
    Malloc library_malloc = nullptr;
    Free library_free = nullptr;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            pthread_barrier_wait(&opened);
            use(library_malloc, library_free);
            pthread_barrier_wait(&closed);  // the library is opened
            pthread_barrier_wait(&closed);  // and closed again
        });
    }
    void* library = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
    CHECK(library, "dlopen: %s", dlerror());
    library_malloc = reinterpret_cast<Malloc>(dlsym(library, "malloc"));
    library_free = reinterpret_cast<Free>(dlsym(library, "free"));
    CHECK(library_malloc && library_malloc != malloc, "the library has no malloc of its own");
    pthread_barrier_wait(&opened);
    pthread_barrier_wait(&closed);
    dlclose(library);
    pthread_barrier_wait(&closed);
    for (std::thread& thread : threads) {
        thread.join();
    }
    return 0;
}
