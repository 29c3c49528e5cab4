// SPDX-License-Identifier: MIT
// Trap: a sized delete passes a wrong size (a base class without a virtual destructor, a hand-written pool),
// the object goes into the class of that size, and later two owners share it.
// The size is only a hint: whatever it is, the object must go back to where it came from, and no two objects
// may ever overlap.
#include "check.h"

#include <malloc.h>
#include <new>
#include <vector>

int main() {
    constexpr size_t kSizes[] = {1, 8, 64, 65, 128, 200, 700, 1024, 1025, 4000, 30000, 65536, 65537, 200000};
    for (const size_t real : kSizes) {
        for (const size_t claimed : kSizes) {
            void* object = opaque(operator new(real));
            operator delete(object, claimed);
            std::vector<void*> objects;
            for (unsigned i = 0; i < 12; ++i) {
                const size_t size = i % 2 ? real : claimed;
                objects.push_back(operator new(size));
                CHECK(malloc_usable_size(objects.back()) >= size, "usable size of %zu bytes is %zu", size,
                      malloc_usable_size(objects.back()));
                pattern_fill(objects.back(), size, i * 17);
            }
            for (unsigned i = 0; i < 12; ++i) {
                pattern_check(objects[i], i % 2 ? real : claimed, i * 17);
                operator delete(objects[i], i % 3 ? real : claimed);
            }
        }
    }
    return 0;
}
