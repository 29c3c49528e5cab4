// SPDX-License-Identifier: MIT
// Figures of the kernel about this process: resident memory, its peak, page faults. Also memory that does not
// come from the allocator. Nothing here may allocate, because that would change the figures.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

namespace bench {

// Exact, unlike /proc/self/statm, whose counters lag by some pages per thread.
inline std::uint64_t resident_bytes() {
    char text[1024];
    const int file = open("/proc/self/smaps_rollup", O_RDONLY | O_CLOEXEC);
    const ssize_t length = file >= 0 ? read(file, text, sizeof text - 1) : -1;
    if (file >= 0) {
        close(file);
    }
    if (length <= 0) {
        return 0;
    }
    text[length] = '\0';
    const char* line = std::strstr(text, "\nRss:");
    return line != nullptr ? std::strtoull(line + 5, nullptr, 10) * 1024 : 0;
}

inline rusage usage_of_process() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage;
}

inline std::uint64_t peak_bytes() { return static_cast<std::uint64_t>(usage_of_process().ru_maxrss) * 1024; }

inline std::uint64_t page_faults() { return static_cast<std::uint64_t>(usage_of_process().ru_minflt); }

inline double mebibytes(std::uint64_t bytes) { return static_cast<double>(bytes) / (1 << 20); }

// An array that is mapped separately and touched in advance, so that the program's own data does not count as
// memory of the allocator.
template <typename T>
T* mapped_array(std::uint64_t count) {
    const std::uint64_t bytes = (count + 1) * sizeof(T);
    void* memory =
        mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (memory == MAP_FAILED) {
        std::abort();
    }
    return static_cast<T*>(memory);
}

}  // namespace bench
