// SPDX-License-Identifier: MIT
//
// The hot lane: per thread and class, an array LIFO of free objects, driven by one word. The fast path,
// whole. Knows nothing of the fallback, of options or of who called; what it cannot do it hands to `Slow`.
// Called by allocator, whose exported entry points inline it.
#pragma once

#include "base/misuse.h"
#include "base/tls_word.h"
#include "classes/policy.h"
#include "classes/size_classes.h"
#include "depot/region.h"

namespace hotlane {

struct ThreadBlock;

/// The word of a class: pops << 16 | top.
///
///   slots   | ...  | nullptr | oldest | ... | newest |  free  | ... |  free  | next class ...
///                    ^ floor                            ^ top               ^ 256 * (class + 1)
///
/// slots[top - 1] is the next pop. Class c owns slots[256c .. 256c+255]; the entry under the oldest object is
/// nullptr, so popping nullptr means empty; the stack grows to the end of its 256, so full shows as
/// (top & 255) == 0. A pop is one addition: top goes down by one, the pop count goes up by one. The count is
/// preset just below 2^48, so that its carry-out calls for what is due once in so many pops.
/// The word is the commit point: a thread that vanishes at any instruction leaves its cache readable.
namespace word {

inline constexpr unsigned kTopBits = 16;
inline constexpr uint64_t kPop = (uint64_t{1} << kTopBits) - 1;
inline constexpr uint64_t kPush = 1;
inline constexpr uint32_t kSlotsPerClass = policy::kMostSlots + 1;

constexpr size_t top(uint64_t w) { return w & 0xFFFF; }
constexpr uint64_t pops(uint64_t w) { return w >> kTopBits; }
constexpr bool full(uint64_t w) { return (w & (kSlotsPerClass - 1)) == 0; }

// Other threads read words (statistics, upkeep, fork); these compile to plain moves.
inline uint64_t load(const uint64_t& w) { return __atomic_load_n(&w, __ATOMIC_RELAXED); }
inline void store(uint64_t& w, uint64_t value) { __atomic_store_n(&w, value, __ATOMIC_RELAXED); }
inline void* load_slot(void* const* slot) { return __atomic_load_n(slot, __ATOMIC_RELAXED); }
inline void store_slot(void** slot, void* object) { __atomic_store_n(slot, object, __ATOMIC_RELAXED); }

}  // namespace word

/// One past a nullptr: with all words 0, a thread that is not set up is empty and full at once.
HOTLANE_HIDDEN extern constinit void* const no_slots[1];

struct ThreadCache {
    uint64_t words[kMaxClasses] = {};
    void** slots = const_cast<void**>(no_slots + 1);
    ThreadBlock* block = nullptr;  // null: not set up, or ended
    bool ended = false;            // the thread's destructors ran; what comes now takes no cache
    uint32_t uncached_frees = 0;
};

HOTLANE_HIDDEN extern constinit thread_local ThreadCache thread_cache [[gnu::tls_model("initial-exec")]];

/// The request of `n` bytes from the calling thread's own LIFO; anything else is `Slow`'s, in tail position.
template <void* (*Slow)(size_t)>
[[gnu::always_inline]] inline void* allocate_fast(size_t n) {
    if (n > kSmallLimit) [[unlikely]] {
        return Slow(n);
    }
    const ClassIndex c = size_classes.small_index[(n + kSmallStep - 1) / kSmallStep];
    const uintptr_t cache = tls::offset_of(&thread_cache);
    const uint64_t before = tls::load(cache, c);
    void** slots = tls::load_pointer<offsetof(ThreadCache, slots)>(cache);
    void* object = word::load_slot(slots + word::top(before) - 1);
    if (object == nullptr) [[unlikely]] {
        return Slow(n);  // empty, or not set up
    }
    uint64_t after = 0;
    if (__builtin_add_overflow(before, word::kPop, &after)) [[unlikely]] {
        return Slow(n);  // the pop count came round
    }
    tls::store(cache, c, after);
    return object;
}

/// Puts an object back on the calling thread's LIFO of its page's class, whichever thread it came from. The
/// hints are for `Slow` only.
template <auto Slow, typename... Hints>
[[gnu::always_inline]] inline void release_fast(void* p, Hints... hints) {
    const size_t page = region_view.page_of(p);
    if (page >= region_view.page_limit) [[unlikely]] {
        return Slow(p, hints...);  // null, the fallback's, foreign or misaligned
    }
    const ClassIndex c = region_view.page_classes[page];
    const uintptr_t cache = tls::offset_of(&thread_cache);
    const uint64_t before = tls::load(cache, c);
    if (word::full(before)) [[unlikely]] {
        return Slow(p, hints...);  // full, not set up, or a free page
    }
    void** slots = tls::load_pointer<offsetof(ThreadCache, slots)>(cache);
    word::store_slot(slots + word::top(before), p);
    tls::store(cache, c, before + word::kPush);
}

// ---- the slow path (thread_cache.cpp) ---------------------------------------------------------------------

struct CacheSettings {
    size_t budget_bytes = 256 * KiB;  // per class and thread
    bool uncached = false;            // every operation goes to the spans and is verified
    struct {
        ClassIndex size_class;
        uint32_t count;
    } warmup[16] = {};
    size_t warmup_count = 0;
};
void set_up_thread_caches(const CacheSettings& settings);

/// An object of class `c`, by whatever it takes short of the fallback; null with the reason when there are no
/// pages.
/// `*zeroed`: it is known to read as zero.
void* take_slow(ClassIndex c, bool* zeroed, RegionFailure* why);
/// Puts an object back whose page has a class. False: it was not the start of an object, and was reported.
bool put_back_slow(void* p, ClassIndex c, Operation operation);
/// The calling thread's cache back to the depots; it fills again on use.
void flush_this_thread();

}  // namespace hotlane
