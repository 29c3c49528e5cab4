// SPDX-License-Identifier: MIT
//
// Atomic access to plain words. Words of the thread caches are plain because the fast path reaches them by single
// instructions relative to the thread pointer, which std::atomic cannot express.
#pragma once

#include <atomic>
#include <cstdint>
#include <type_traits>

namespace hotlane {

template <class T>
[[gnu::always_inline]] inline T load_relaxed(const T& word) {
    return __atomic_load_n(&word, __ATOMIC_RELAXED);
}
template <class T>
[[gnu::always_inline]] inline T load_acquire(const T& word) {
    return __atomic_load_n(&word, __ATOMIC_ACQUIRE);
}
template <class T>
[[gnu::always_inline]] inline void store_relaxed(T& word, std::type_identity_t<T> value) {
    __atomic_store_n(&word, value, __ATOMIC_RELAXED);
}
/// Adds to a word that only the calling thread changes. A reader sees a value that the word once had.
template <class T>
[[gnu::always_inline]] inline void add_relaxed(T& word, std::type_identity_t<T> n) {
    store_relaxed(word, word + n);
}
/// Raises an atomic to `value` if that is more. Any thread may change it. Relaxed.
inline void raise_relaxed(std::atomic<uint64_t>& most, uint64_t value) {
    uint64_t seen = most.load(std::memory_order_relaxed);
    while (seen < value && !most.compare_exchange_weak(seen, value, std::memory_order_relaxed)) {
    }
}
template <class T>
[[gnu::always_inline]] inline void store_release(T& word, std::type_identity_t<T> value) {
    __atomic_store_n(&word, value, __ATOMIC_RELEASE);
}
template <class T>
[[gnu::always_inline]] inline T exchange_seq_cst(T& word, std::type_identity_t<T> value) {
    return __atomic_exchange_n(&word, value, __ATOMIC_SEQ_CST);
}

}  // namespace hotlane
