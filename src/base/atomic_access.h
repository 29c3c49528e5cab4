// SPDX-License-Identifier: MIT
//
// Atomic access to plain words. Words of the thread caches are plain because the fast path reaches them by single
// instructions relative to the thread pointer, which std::atomic cannot express.
#pragma once

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
template <class T>
[[gnu::always_inline]] inline void store_release(T& word, std::type_identity_t<T> value) {
    __atomic_store_n(&word, value, __ATOMIC_RELEASE);
}
template <class T>
[[gnu::always_inline]] inline T exchange_seq_cst(T& word, std::type_identity_t<T> value) {
    return __atomic_exchange_n(&word, value, __ATOMIC_SEQ_CST);
}

}  // namespace hotlane
