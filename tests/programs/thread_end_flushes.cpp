// SPDX-License-Identifier: MIT
// Trap: what lies in a thread's cache when it ends is lost, and a program that makes threads grows for ever.
// Threads one after the other allocate and free; what they leave alive stays intact, the rest is used by the
// next.
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
