// SPDX-License-Identifier: MIT
// What every workload shares: a seeded random source, stamps that detect a broken allocator, and the result
// line. It uses plain malloc and free, so that a workload runs under any allocator.
#pragma once

#include "arguments.h"

#include <chrono>
#include <cstddef>

namespace bench {

// xorshift64*: good enough to spread requests, and cheap enough not to dominate the measurement.
class Rng {
  public:
    explicit Rng(std::uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15ULL + 0xD1B54A32D192ED03ULL) {}

    std::uint64_t next() {
        state_ ^= state_ >> 12;
        state_ ^= state_ << 25;
        state_ ^= state_ >> 27;
        return state_ * 0x2545F4914F6CDD1DULL;
    }

    // Uniform in [0, bound), by the upper half of a product: no division.
    std::uint32_t below(std::uint32_t bound) {
        return static_cast<std::uint32_t>(((next() >> 32) * bound) >> 32);
    }

    std::uint32_t between(std::uint32_t low, std::uint32_t high) { return low + below(high - low + 1); }

    // Each doubling between the two powers of two is equally likely, because programs request many small
    // objects and few large ones.
    std::size_t log_uniform(unsigned low_bits, unsigned high_bits) {
        const unsigned bits = between(low_bits, high_bits - 1);
        return (std::size_t{1} << bits) + below(1U << bits);
    }

  private:
    std::uint64_t state_;
};

[[noreturn]] inline void broken(const char* what, const void* object, std::size_t bytes) {
    std::fprintf(stderr, "broken allocator: %s (object %p, %zu bytes)\n", what, object, bytes);
    std::abort();
}

inline void* take(std::size_t bytes) {
    void* object = std::malloc(bytes);
    if (object == nullptr) {
        broken("malloc gave null", object, bytes);
    }
    return object;
}

// A stamp depends on the address and the size, so two owners of one object cannot both find their own. The
// last byte is written too: if an object is smaller than requested, this overwrites the first byte of its
// neighbour.
inline std::uint64_t stamp_of(const void* object, std::size_t bytes) {
    return (reinterpret_cast<std::uintptr_t>(object) ^ (bytes << 48)) * 0x9E3779B97F4A7C15ULL;
}

inline void stamp(void* object, std::size_t bytes) {
    const std::uint64_t value = stamp_of(object, bytes);
    auto* first = static_cast<unsigned char*>(object);
    if (bytes >= sizeof value) {
        std::memcpy(first, &value, sizeof value);
    }
    if (bytes > 0 && bytes != sizeof value) {
        first[bytes - 1] = static_cast<unsigned char>(value >> 56);
    }
}

inline void check_stamp(const void* object, std::size_t bytes) {
    const std::uint64_t value = stamp_of(object, bytes);
    const auto* first = static_cast<const unsigned char*>(object);
    std::uint64_t found = value;
    // Between 9 and 15 bytes, the last byte lies behind the first eight, so the two can be compared
    // separately.
    if (bytes >= sizeof value) {
        std::memcpy(&found, first, sizeof found);
    }
    const bool last_right =
        bytes == 0 || bytes == sizeof value || first[bytes - 1] == static_cast<unsigned char>(value >> 56);
    if (found != value || !last_right) {
        broken("an object was overwritten by another's owner", object, bytes);
    }
}

inline void* take_stamped(std::size_t bytes) {
    void* object = take(bytes);
    stamp(object, bytes);
    return object;
}

inline void release_stamped(void* object, std::size_t bytes) {
    check_stamp(object, bytes);
    std::free(object);
}

// An object with its size, since a program has to remember both.
struct Block {
    void* object = nullptr;
    std::size_t bytes = 0;

    void replace(std::size_t bytes_wanted) {
        release();
        object = take_stamped(bytes_wanted);
        bytes = bytes_wanted;
    }

    void release() {
        if (object != nullptr) {
            release_stamped(object, bytes);
            object = nullptr;
        }
    }
};

class Stopwatch {
  public:
    double seconds() const {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
    }

  private:
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// The one line that scripts read. `check` depends on the work done, not on addresses or time. It is the same
// under every allocator, and a difference means a wrong result.
inline int report(const char* program, std::uint64_t operations, double seconds, std::uint64_t check) {
    std::printf("workload=%s operations=%llu seconds=%.4f operations_per_second=%.0f check=%016llx\n",
                program, static_cast<unsigned long long>(operations), seconds,
                static_cast<double>(operations) / seconds, static_cast<unsigned long long>(check));
    return 0;
}

}  // namespace bench
