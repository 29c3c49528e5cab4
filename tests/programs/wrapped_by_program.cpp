// SPDX-License-Identifier: MIT
// Trap: a program that defines malloc itself, as a wrapper around the next one, comes before every preloaded
// library. libc and libstdc++ call the wrapper; the allocator's own operators do not. Objects pass through it
// in either direction, and dlsym, which may allocate, is called from within its first malloc.
#include "check.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace {

std::atomic<long> requests;
alignas(16) char early[4096];  // serves requests of dlsym before the next malloc is known
size_t early_used;

bool is_early(void* object) { return object >= early && object < early + sizeof early; }

template <typename Function>
Function* next(Function*& function, const char* name) {
    if (!function) {
        function = reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
    }
    return function;
}

void* (*next_malloc)(size_t);
void* (*next_realloc)(void*, size_t);
void (*next_free)(void*);
bool looking_up;

void look_up() {
    looking_up = true;
    next(next_free, "free");
    next(next_realloc, "realloc");
    next(next_malloc, "malloc");
    looking_up = false;
}

}  // namespace

extern "C" {

void* malloc(size_t size) noexcept {
    if (!next_malloc && looking_up) {
        void* object = early + early_used;
        early_used += (size + 15) / 16 * 16;
        return object;
    }
    if (!next_malloc) {
        look_up();
    }
    ++requests;
    return next_malloc(size);
}

void* calloc(size_t count, size_t size) noexcept {
    void* object = malloc(count * size);
    return object ? std::memset(object, 0, count * size) : nullptr;
}

void* realloc(void* object, size_t size) noexcept {
    if (!next_malloc) {
        look_up();
    }
    ++requests;
    return next_realloc(object, size);
}

void free(void* object) noexcept {
    if (object && !is_early(object)) {
        next_free(object);
    }
}
}

int main() {
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
        threads.emplace_back([] {
            std::vector<std::string> strings(2000, std::string(100, 'x'));
            for (int j = 0; j < 2000; ++j) {
                char* text = strdup(strings[static_cast<size_t>(j)].c_str());
                free(realloc(text, 300));
                free(operator new(50));
                operator delete(malloc(60));
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    CHECK(requests >= 8 * 2000 * 3, "the wrapper saw %ld requests", requests.load());
    return 0;
}
