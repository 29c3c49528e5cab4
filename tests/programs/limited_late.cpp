// SPDX-License-Identifier: MIT
// Trap: an allocator that reserves much more than it uses has used up the program's allowance before the
// program sets its limit.
// This program sets a limit while it runs (or, with a fifth argument, starts again under it), and then needs
// threads, a library, a large block and many small objects.
#include "check.h"

#include <dlfcn.h>
#include <pthread.h>
#include <sys/resource.h>
#include <vector>

namespace {

constexpr int kThreads = 8;
constexpr size_t kStackBytes = 256 << 10;

void limit_to(const char* resource, rlim_t mebibytes) {
    const rlimit limit{mebibytes << 20, RLIM_INFINITY};
    const auto number = strcmp(resource, "data") == 0 ? RLIMIT_DATA : RLIMIT_AS;
    CHECK(setrlimit(number, &limit) == 0, "setrlimit failed");
}

void allocate_objects(size_t count) {
    std::vector<void*> objects(count);
    for (size_t i = 0; i < count; ++i) {
        const size_t size = 16 + i * 37 % 100;
        objects[i] = malloc(size);
        CHECK(objects[i], "object %zu of %zu is refused", i, count);
        pattern_fill(objects[i], size, static_cast<unsigned>(i));
    }
    for (size_t i = 0; i < count; ++i) {
        pattern_check(objects[i], 16 + i * 37 % 100, static_cast<unsigned>(i));
        free(objects[i]);
    }
}

void* work(void* argument) {
    allocate_objects(*static_cast<size_t*>(argument) / kThreads);
    return nullptr;
}

void start_threads(size_t objects) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, kStackBytes);
    pthread_t threads[kThreads];
    for (pthread_t& thread : threads) {
        const int error = pthread_create(&thread, &attributes, work, &objects);
        CHECK(error == 0, "pthread_create: %s", strerror(error));
    }
    for (pthread_t thread : threads) {
        pthread_join(thread, nullptr);
    }
}

}  // namespace

int main(int count, char** arguments) {
    CHECK(count >= 6, "RESOURCE MEBIBYTES BLOCK_MEBIBYTES OBJECTS LIBRARY [start]");
    free(opaque(malloc(100)));
    limit_to(arguments[1], strtoul(arguments[2], nullptr, 10));
    if (count > 6) {
        arguments[6] = nullptr;
        execv(arguments[0], arguments);
        CHECK(false, "%s cannot be started", arguments[0]);
    }
    const size_t block_bytes = strtoul(arguments[3], nullptr, 10) << 20;
    const size_t objects = strtoul(arguments[4], nullptr, 10);
    start_threads(objects);
    CHECK(dlopen(arguments[5], RTLD_NOW), "%s", dlerror());
    void* block = malloc(block_bytes);
    CHECK(block, "a block of %zu bytes is refused", block_bytes);
    pattern_fill(block, block_bytes, 1);
    allocate_objects(objects);
    free(block);
    return 0;
}
