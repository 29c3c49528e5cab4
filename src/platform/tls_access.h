// SPDX-License-Identifier: MIT
//
// Accesses to words of a thread-local struct. Each word is an operand of one instruction, addressed from the
// thread pointer. Without this, g++ computes the address first, two more instructions on the fast path.
#pragma once

#include "base/base.h"

namespace hotlane::tls {

/// The offset of a thread-local variable from the thread pointer. It is the same in every thread.
[[gnu::always_inline]] inline uintptr_t offset_of(const void* variable) {
    return address_of(variable) - address_of(__builtin_thread_pointer());
}

// All of these are atomic accesses: other threads read the words, and only their owner writes them. A store
// has release order, as every store on x86 does. ThreadSanitizer does not see assembly, so it gets the
// portable form, too. The word is the one at `offset + displacement + 8 * index`.

#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)

template <size_t displacement>
[[gnu::always_inline]] inline uint64_t load(uintptr_t offset, size_t index) {
    uint64_t value;
    asm volatile("movq %%fs:%c3(%1,%2,8), %0"
                 : "=c"(value)
                 : "d"(offset), "r"(index), "i"(displacement)
                 : "memory");
    return value;
}

/// The same for a function that computes its result later: keeps the result's register free, to save a move.
template <size_t displacement>
[[gnu::always_inline]] inline uint64_t load_early(uintptr_t offset, size_t index) {
    uint64_t value;
    asm volatile("movq %%fs:%c3(%1,%2,8), %0"
                 : "=c"(value)
                 : "d"(offset), "S"(index), "i"(displacement)
                 : "memory");
    return value;
}

template <size_t displacement>
[[gnu::always_inline]] inline void store(uintptr_t offset, size_t index, uint64_t value) {
    asm volatile("movq %0, %%fs:%c3(%1,%2,8)"
                 :
                 : "r"(value), "r"(offset), "r"(index), "i"(displacement)
                 : "memory");
}

/// Decrements the word. Returns true if it was 0; then it is 2^64 - 1 afterwards.
template <size_t displacement>
[[gnu::always_inline]] inline bool count_down(uintptr_t offset, size_t index) {
    bool borrowed;
    asm volatile("subq $1, %%fs:%c3(%1,%2,8)"
                 : "=@ccc"(borrowed)
                 : "r"(offset), "r"(index), "i"(displacement)
                 : "memory");
    return borrowed;
}

/// Decrements the lowest byte of `value` in place. Returns true if that byte was 0.
[[gnu::always_inline]] inline bool count_down_low_byte(uint64_t& value) {
    bool borrowed;
    asm("subb $1, %b0" : "+q"(value), "=@ccc"(borrowed));
    return borrowed;
}

/// Returns `value` minus the word.
template <size_t displacement>
[[gnu::always_inline]] inline uint64_t subtract(uint64_t value, uintptr_t offset, size_t index) {
    asm volatile("subq %%fs:%c3(%1,%2,8), %0"
                 : "+r"(value)
                 : "r"(offset), "r"(index), "i"(displacement)
                 : "cc");
    return value;
}

/// Whether `value` is greater than the word.
template <size_t displacement>
[[gnu::always_inline]] inline bool above(uint64_t value, uintptr_t offset, size_t index) {
    bool is_above;
    asm volatile("cmpq %%fs:%c4(%2,%3,8), %1"
                 : "=@cca"(is_above)
                 : "r"(value), "r"(offset), "r"(index), "i"(displacement));
    return is_above;
}

#else

template <size_t displacement>
[[gnu::always_inline]] inline uint64_t* word_at(uintptr_t offset, size_t index) {
    auto* bytes = static_cast<std::byte*>(__builtin_thread_pointer()) + offset + displacement;
    return reinterpret_cast<uint64_t*>(bytes) + index;
}

template <size_t displacement>
inline uint64_t load(uintptr_t offset, size_t index) {
    return __atomic_load_n(word_at<displacement>(offset, index), __ATOMIC_RELAXED);
}

template <size_t displacement>
inline uint64_t load_early(uintptr_t offset, size_t index) {
    return load<displacement>(offset, index);
}

template <size_t displacement>
inline void store(uintptr_t offset, size_t index, uint64_t value) {
    // Pairs with the acquire load of the word by another thread (LaneOfOther::load_top()).
    __atomic_store_n(word_at<displacement>(offset, index), value, __ATOMIC_RELEASE);
}

template <size_t displacement>
inline bool count_down(uintptr_t offset, size_t index) {
    const uint64_t before = load<displacement>(offset, index);
    store<displacement>(offset, index, before - 1);
    return before == 0;
}

inline bool count_down_low_byte(uint64_t& value) {
    const bool borrowed = (value & 0xFF) == 0;
    --value;
    return borrowed;
}

template <size_t displacement>
inline uint64_t subtract(uint64_t value, uintptr_t offset, size_t index) {
    return value - load<displacement>(offset, index);
}

template <size_t displacement>
inline bool above(uint64_t value, uintptr_t offset, size_t index) {
    return value > load<displacement>(offset, index);
}

#endif

}  // namespace hotlane::tls
