// SPDX-License-Identifier: MIT
//
// Reads the processor's tick counter between two fences: all earlier instructions are complete, and no later
// one has begun. For measuring single operations; tsc.h is for durations.
#pragma once

#include <cstdint>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace hotlane {

#if defined(__x86_64__)

inline std::uint64_t ticks_before() {
    _mm_lfence();
    const std::uint64_t ticks = __rdtsc();
    _mm_lfence();
    return ticks;
}

inline std::uint64_t ticks_after() {
    unsigned processor = 0;
    const std::uint64_t ticks = __rdtscp(&processor);
    _mm_lfence();
    return ticks;
}

#elif defined(__aarch64__)

inline std::uint64_t ticks_before() {
    std::uint64_t ticks = 0;
    asm volatile("isb\n\tmrs %0, cntvct_el0\n\tisb" : "=r"(ticks)::"memory");
    return ticks;
}

inline std::uint64_t ticks_after() { return ticks_before(); }

#endif

}  // namespace hotlane
