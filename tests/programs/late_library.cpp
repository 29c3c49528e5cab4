// SPDX-License-Identifier: MIT
// A library whose constructor runs early and whose destructor runs late in the life of a process, and which
// allocates in both. Linked by after_the_dump.cpp.
#include <cstdlib>
#include <cstring>

namespace {

void* kept;

[[gnu::constructor(101)]] void first() {
    kept = std::malloc(3000);
    std::memset(kept, 1, 3000);
}

[[gnu::destructor(101)]] void last() {
    std::free(kept);
    for (std::size_t size = 1; size < 1 << 20; size *= 2) {
        void* volatile object = std::realloc(std::malloc(size), 2 * size);
        std::memset(object, 1, 2 * size);
        std::free(object);
    }
}

}  // namespace

void late_library_is_linked();
void late_library_is_linked() {}
