// SPDX-License-Identifier: MIT
// Trap: the dynamic linker, .preinit_array and other libraries' constructors allocate before the allocator's
// own constructor has run. Their objects must stay valid to the end of the process, and any thread may free
// them.
#include "check.h"

#include <pthread.h>
#include <string>
#include <vector>

namespace {

void* earliest[64];
pthread_key_t earliest_key;  // created before any key of the allocator, so its destructor runs first

void allocate_earliest() {
    pthread_key_create(&earliest_key, free);
    for (unsigned i = 0; i < 64; ++i) {
        earliest[i] = malloc(i * 2000 + 1);
        CHECK(earliest[i], "malloc failed before the constructors");
        pattern_fill(earliest[i], i * 2000 + 1, i);
    }
}

[[gnu::section(".preinit_array"), gnu::used]] void (*preinit)() = allocate_earliest;

std::vector<std::string> static_object(1000, "a string that is longer than the small-string buffer");

}  // namespace

int main() {
    for (unsigned i = 0; i < 64; ++i) {
        pattern_check(earliest[i], i * 2000 + 1, i);
        free(earliest[i]);
    }
    static_object.emplace_back("another string that is longer than the small-string buffer");
    pthread_t thread;
    const auto body = [](void*) -> void* {
        pthread_setspecific(earliest_key, malloc(100));
        return nullptr;
    };
    for (int i = 0; i < 200; ++i) {
        CHECK(pthread_create(&thread, nullptr, body, nullptr) == 0, "no thread");
        pthread_join(thread, nullptr);
    }
    return 0;
}
