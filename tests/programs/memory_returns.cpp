// SPDX-License-Identifier: MIT
// Trap: freed memory stays with the process, or is returned page by page until the kernel's limit of mappings
// is reached.
// 200 MiB of mixed objects are freed, by the thread that allocated them and by another. Then malloc_trim must
// return nearly all of it at once, and the process must have few mappings throughout.
#include "check.h"

#include <malloc.h>
#include <thread>
#include <vector>

namespace {

size_t mixed_size(uint64_t& random) {
    const uint64_t draw = next_random(&random);
    return draw % 50 == 0 ? draw / 50 % 60000 : draw / 50 % 2000;
}

std::vector<void*> allocate_mixed(size_t bytes) {
    std::vector<void*> objects;
    uint64_t random = 42;
    while (bytes > 0) {
        const size_t size = mixed_size(random) + 16;
        objects.push_back(malloc(size));
        std::memset(objects.back(), 1, size);
        bytes -= size < bytes ? size : bytes;
    }
    return objects;
}

void release(std::vector<void*>& objects) {
    for (void* object : objects) {
        free(object);
    }
    std::vector<void*>().swap(objects);
}

}  // namespace

int main() {
    const size_t before = status_kib("VmRSS:");
    for (const bool elsewhere : {false, true}) {
        std::vector<void*> objects = allocate_mixed(200 << 20);
        const size_t peak = status_kib("VmRSS:");
        CHECK(map_count() < 500, "%zu mappings", map_count());
        if (elsewhere) {
            std::thread(release, std::ref(objects)).join();
        } else {
            release(objects);
        }
        malloc_trim(0);
        const size_t after = status_kib("VmRSS:");
        CHECK(after < before + (peak - before) / 10,
              "resident: %zu KiB before, %zu at the peak, %zu after malloc_trim", before, peak, after);
        CHECK(map_count() < 500, "%zu mappings", map_count());
    }
    return 0;
}
