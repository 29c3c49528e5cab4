// SPDX-License-Identifier: MIT
//
// Words of a thread-local struct, addressed in one instruction from the thread pointer.
// Knows nothing of what the words mean.
// Called by the fast path; g++ would compute the address first, two instructions more.
#pragma once

#include "base/base.h"

namespace hotlane::tls {

/// Where a thread-local variable lies, relative to the thread pointer: the same in every thread.
[[gnu::always_inline]] inline uintptr_t offset_of(const void* variable) {
    return address_of(variable) - address_of(__builtin_thread_pointer());
}

// Relaxed atomic accesses: other threads read these words, and only their owner writes them.

/// The word at `offset + 8 * index`.
[[gnu::always_inline]] inline uint64_t load(uintptr_t offset, size_t index) {
#if defined(__x86_64__)
    uint64_t value;
    asm volatile("movq %%fs:(%1,%2,8), %0" : "=c"(value) : "r"(offset), "r"(index) : "memory");
    return value;
#else
    const auto* words = static_cast<const std::byte*>(__builtin_thread_pointer()) + offset;
    return __atomic_load_n(reinterpret_cast<const uint64_t*>(words) + index, __ATOMIC_RELAXED);
#endif
}

[[gnu::always_inline]] inline void store(uintptr_t offset, size_t index, uint64_t value) {
#if defined(__x86_64__)
    asm volatile("movq %0, %%fs:(%1,%2,8)" : : "r"(value), "r"(offset), "r"(index) : "memory");
#else
    auto* words = static_cast<std::byte*>(__builtin_thread_pointer()) + offset;
    __atomic_store_n(reinterpret_cast<uint64_t*>(words) + index, value, __ATOMIC_RELAXED);
#endif
}

/// The pointer at `offset + displacement`.
template <size_t displacement>
[[gnu::always_inline]] inline void** load_pointer(uintptr_t offset) {
#if defined(__x86_64__)
    void** value;
    asm volatile("movq %%fs:%c2(%1), %0" : "=r"(value) : "r"(offset), "i"(displacement) : "memory");
    return value;
#else
    const auto* words = static_cast<const std::byte*>(__builtin_thread_pointer()) + offset + displacement;
    return *reinterpret_cast<void** const*>(words);
#endif
}

}  // namespace hotlane::tls
