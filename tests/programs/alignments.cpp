// SPDX-License-Identifier: MIT
// Trap: aligned_alloc, posix_memalign, memalign and aligned new differ in what they accept, and a size class
// that fits the size need not fit the alignment.
// Each must serve every power of two up to 4 MiB, for sizes below, at and above it, whether they are
// multiples of the alignment or not. Such an object can be resized and freed like any other.
#include "check.h"

#include <malloc.h>
#include <new>
#include <vector>

namespace {

void use(const char* name, void* object, size_t alignment, size_t size) {
    CHECK(object, "%s(%zu, %zu) failed", name, alignment, size);
    CHECK(reinterpret_cast<uintptr_t>(object) % alignment == 0, "%s(%zu, %zu) gave %p", name, alignment, size,
          object);
    CHECK(malloc_usable_size(object) >= size, "%s(%zu, %zu): usable %zu", name, alignment, size,
          malloc_usable_size(object));
    std::memset(object, 0x3c, size < 1 << 16 ? malloc_usable_size(object) : size);
}

void check_each_function(size_t alignment, size_t size) {
    void* object = memalign(alignment, size);
    use("memalign", object, alignment, size);
    free(object);
    object = aligned_alloc(alignment, size);
    use("aligned_alloc", object, alignment, size);
    free(object);
    if (alignment >= sizeof(void*)) {
        CHECK(posix_memalign(&object, alignment, size) == 0, "posix_memalign(%zu, %zu) failed", alignment,
              size);
        use("posix_memalign", object, alignment, size);
        free(object);
    }
    const auto align = static_cast<std::align_val_t>(alignment);
    object = opaque(operator new(size, align));
    use("operator new", object, alignment, size);
    operator delete(object, align);
    object = opaque(operator new[](size, align, std::nothrow));
    use("operator new[]", object, alignment, size);
    operator delete[](object, size, align);
}

// Several objects at once, so that one that is aligned by luck does not hide an error.
void check_several_at_once(size_t alignment, size_t size) {
    std::vector<void*> objects;
    for (unsigned i = 0; i < 20; ++i) {
        objects.push_back(aligned_alloc(alignment, size));
        use("aligned_alloc", objects.back(), alignment, size);
        pattern_fill(objects.back(), size, i);
    }
    for (unsigned i = 0; i < 20; ++i) {
        pattern_check(objects[i], size, i);
        objects[i] = realloc(objects[i], size * 2 + 1);
        CHECK(objects[i], "realloc failed");
        pattern_check(objects[i], size, i);
        free(objects[i]);
    }
}

void check_refusals() {
    void* object = &object;
    for (const size_t alignment : {0UL, 1UL, 2UL, 4UL, 24UL, 48UL, 4095UL}) {
        CHECK(posix_memalign(&object, alignment, 64) == EINVAL, "posix_memalign took alignment %zu",
              alignment);
        CHECK(object == &object, "posix_memalign wrote its result on error");
    }
}

}  // namespace

int main() {
    for (size_t alignment = 1; alignment <= 4 << 20; alignment *= 2) {
        for (const size_t size :
             {size_t{0}, size_t{1}, size_t{24}, size_t{64}, size_t{100}, size_t{1025}, size_t{4096},
              size_t{65536}, size_t{65537}, size_t{300000}, alignment - 1, alignment, alignment + 1}) {
            check_each_function(alignment, size);
        }
        check_several_at_once(alignment, alignment > 1 << 16 ? 40000 : 40 + alignment);
    }
    check_refusals();
    return 0;
}
