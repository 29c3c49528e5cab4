// SPDX-License-Identifier: MIT
// Trap: objects in a thread's cache are lost when the thread ends, and a program that creates threads grows
// for ever.
// Threads allocate and free, one after the other. The objects that they leave live stay intact, and the next
// thread uses the rest.
#include "check.h"

#include <thread>
#include <vector>

namespace {

constexpr size_t kSize = 1000;

void body(std::vector<void*>& kept, unsigned seed) {
    std::vector<void*> objects;
    for (int i = 0; i < 2000; ++i) {
        objects.push_back(malloc(kSize));
        pattern_fill(objects.back(), kSize, seed);
    }
    for (int i = 0; i < 1999; ++i) {
        free(objects[i]);
    }
    kept.push_back(objects.back());
}

}  // namespace

int main() {
    std::vector<void*> kept;
    size_t before = 0;
    for (unsigned i = 0; i < 1000; ++i) {
        std::thread(body, std::ref(kept), i).join();
        if (i == 100) {
            before = status_kib("VmRSS:");
        }
    }
    const size_t after = status_kib("VmRSS:");
    CHECK(after < before + 4096, "900 threads took resident memory from %zu to %zu KiB", before, after);
    for (unsigned i = 0; i < 1000; ++i) {
        pattern_check(kept[i], kSize, i);
        free(kept[i]);
    }
    return 0;
}
