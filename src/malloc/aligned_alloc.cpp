// SPDX-License-Identifier: MIT
//
// libc's four aligned allocation functions. Each has its own rules for the arguments it refuses and for the
// way it reports that.
#include "base/errno_saver.h"
#include "malloc/allocator.h"
#include "platform/os.h"

#include <bit>
#include <cerrno>

namespace hotlane {

int allocate_posix(void** out, size_t alignment, size_t n) {
    if (!std::has_single_bit(alignment) || alignment < sizeof(void*)) {
        return EINVAL;
    }
    ErrnoSaver keep;
    void* p = allocate_aligned(alignment, n);
    if (p == nullptr) {
        return ENOMEM;
    }
    *out = p;
    return 0;
}

void* allocate_c11(size_t alignment, size_t n) {
    if (!std::has_single_bit(alignment)) {
        errno = EINVAL;
        return nullptr;
    }
    return allocate_aligned(alignment, n);
}

void* allocate_memalign(size_t alignment, size_t n) {
    constexpr size_t kLargestAlignment = SIZE_MAX / 2 + 1;
    if (alignment > kLargestAlignment) {
        errno = EINVAL;
        return nullptr;
    }
    return allocate_aligned(std::bit_ceil(alignment), n);
}

void* allocate_os_pages(size_t n) {
    const size_t rounded = n != 0 ? round_up(n, os::page_size()) : os::page_size();
    if (rounded < n) {
        errno = ENOMEM;
        return nullptr;
    }
    return allocate_aligned(os::page_size(), rounded);
}

}  // namespace hotlane
