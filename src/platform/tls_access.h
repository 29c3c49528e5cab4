// SPDX-License-Identifier: MIT
//
// Accesses to words of a thread-local struct, addressed from the thread pointer by a base register and a
// displacement, without an index register.
#pragma once

#include "base/base.h"

namespace hotlane::tls {

/// The offset of a thread-local variable from the thread pointer. It is the same in every thread.
[[gnu::always_inline]] inline uintptr_t offset_of(const void* variable) {
    return address_of(variable) - address_of(__builtin_thread_pointer());
}

// All of these are atomic accesses: other threads read the words, and only their owner writes them. store()
// has release order, as every store on x86 does. The counts have no order. ThreadSanitizer does not see assembly, so it gets the
// portable form, too. The word is the one at `offset + displacement` from the thread pointer.
//
// Intel's cores since Ice Lake forward a stored word to a later load in about one cycle, but only if neither
// address has an index register; with one it takes five cycles. A pair of malloc and free waits for two such
// words, the lane's top and the slot.
//
// The registers are chosen so that rax stays free for malloc's result, which saves a move.

#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)

// g++ takes the offset of a thread-local variable from the global offset table in the addition itself. clang, given
// the choice, stores it on the stack first.
#ifdef __clang__
#define HOTLANE_ADDEND "r"
#else
#define HOTLANE_ADDEND "rm"
#endif

/// Returns `offset` + `more`. The compiler does not see the sum; it would add the thread pointer to it first,
/// and subtract it again.
[[gnu::always_inline]] inline uintptr_t sum(uintptr_t offset, uintptr_t more) {
    asm("addq %1, %0" : "+d"(offset) : HOTLANE_ADDEND(more) : "cc");
    return offset;
}

template <size_t displacement>
[[gnu::always_inline]] inline uint64_t load(uintptr_t offset) {
    uint64_t value;
    asm volatile("movq %%fs:%c2(%1), %0" : "=c"(value) : "r"(offset), "i"(displacement) : "memory");
    return value;
}

template <size_t displacement>
[[gnu::always_inline]] inline void store(uintptr_t offset, uint64_t value) {
    asm volatile("movq %0, %%fs:%c2(%1)" : : "r"(value), "r"(offset), "i"(displacement) : "memory");
}

/// Decrements the word. Returns true if it is below zero afterwards, as a signed number.
template <size_t displacement>
[[gnu::always_inline]] inline bool count_down(uintptr_t offset) {
    bool negative;
    asm volatile("subq $1, %%fs:%c2(%1)" : "=@ccs"(negative) : "r"(offset), "i"(displacement) : "memory");
    return negative;
}

template <size_t displacement>
[[gnu::always_inline]] inline void count_up(uintptr_t offset) {
    asm volatile("addq $1, %%fs:%c1(%0)" : : "r"(offset), "i"(displacement) : "memory", "cc");
}

/// Returns `value` minus the word.
template <size_t displacement>
[[gnu::always_inline]] inline uint64_t subtract(uint64_t value, uintptr_t offset) {
    asm volatile("subq %%fs:%c2(%1), %0" : "+r"(value) : "r"(offset), "i"(displacement) : "cc");
    return value;
}

/// Whether `value` is greater than the word.
template <size_t displacement>
[[gnu::always_inline]] inline bool above(uint64_t value, uintptr_t offset) {
    bool is_above;
    asm volatile("cmpq %%fs:%c3(%2), %1" : "=@cca"(is_above) : "r"(value), "r"(offset), "i"(displacement));
    return is_above;
}

#else

inline uintptr_t sum(uintptr_t offset, uintptr_t more) { return offset + more; }

template <size_t displacement>
[[gnu::always_inline]] inline uint64_t* word_at(uintptr_t offset) {
    auto* bytes = static_cast<std::byte*>(__builtin_thread_pointer()) + offset + displacement;
    return reinterpret_cast<uint64_t*>(bytes);
}

template <size_t displacement>
inline uint64_t load(uintptr_t offset) {
    return __atomic_load_n(word_at<displacement>(offset), __ATOMIC_RELAXED);
}

template <size_t displacement>
inline void store(uintptr_t offset, uint64_t value) {
    // Pairs with the acquire load of the word by another thread (LaneOfOther::load_top()).
    __atomic_store_n(word_at<displacement>(offset), value, __ATOMIC_RELEASE);
}

template <size_t displacement>
inline bool count_down(uintptr_t offset) {
    const uint64_t after = load<displacement>(offset) - 1;
    __atomic_store_n(word_at<displacement>(offset), after, __ATOMIC_RELAXED);
    return static_cast<int64_t>(after) < 0;
}

template <size_t displacement>
inline void count_up(uintptr_t offset) {
    __atomic_store_n(word_at<displacement>(offset), load<displacement>(offset) + 1, __ATOMIC_RELAXED);
}

template <size_t displacement>
inline uint64_t subtract(uint64_t value, uintptr_t offset) {
    return value - load<displacement>(offset);
}

template <size_t displacement>
inline bool above(uint64_t value, uintptr_t offset) {
    return value > load<displacement>(offset);
}

#endif

/// load() of a pointer to a slot.
template <size_t displacement>
[[gnu::always_inline]] inline void** load_slot(uintptr_t offset) {
    return static_cast<void**>(pointer_to(load<displacement>(offset)));
}

}  // namespace hotlane::tls
