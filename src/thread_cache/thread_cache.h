// SPDX-License-Identifier: MIT
//
// The hot lane: per thread and class, an array LIFO of free objects. The fast path, whole.
// Knows nothing of the fallback, of options or of who called; what it cannot do it hands to `Slow`.
// Called by allocator, whose exported entry points inline it.
#pragma once

#include "diagnostics/misuse.h"
#include "maintenance/tuning.h"
#include "page_heap/region.h"
#include "page_heap/size_classes.h"
#include "platform/tls_access.h"

namespace hotlane {

struct ThreadBlock;

/// A thread's LIFO of one class. Its slots are memory of the thread's own, beside the region; they are named
/// by their index from region_view.base, less one:
///
///      low byte 0                                          low byte <= 255
///   ... |  free  | ... |  free  | newest | ... | oldest | nullptr |  ... next class
///                               ^ top                    ^ floor
///
/// The stack grows towards lower indices. slot(top) is the next pop; the slot behind the oldest object holds
/// nullptr, so popping nullptr means empty. A push first counts the low byte of top down: a borrow means
/// full. So neither test loads a limit, and a lane that is all zero is empty (base[-1] is nullptr) and full
/// at once: a thread not yet set up needs no test of its own. The store of top is the commit point: a thread
/// that vanishes at any instruction leaves its lane readable.
struct Lane {
    uint64_t top = 0;
    uint64_t countdown = 0;  // pops until the slow path is due; counts hits by counting down
    uint64_t smallest = 0;   // bytes: requests of smallest .. smallest + spread are this class's
    uint64_t spread = 0;
};
static_assert(sizeof(Lane) == SizeClasses::kLaneWords * sizeof(uint64_t));

inline constexpr uint32_t kSlotsPerLane = 256;

[[gnu::always_inline]] inline void** slot(void** base, uint64_t index) {
    return base + static_cast<ptrdiff_t>(index) - 1;
}

struct ThreadCache {
    Lane lanes[kMaxClasses] = {};
    ThreadBlock* block = nullptr;  // null: not set up, or ended
    bool ended = false;            // the thread's destructors ran; what comes now takes no cache
    uint32_t uncached_frees = 0;
};

HOTLANE_HIDDEN extern constinit thread_local ThreadCache thread_cache [[gnu::tls_model("initial-exec")]];

/// The second half of a request: the newest object of the lane. `Slow` gets the request from the beginning.
template <void* (*Slow)(size_t)>
[[gnu::always_inline]] inline void* pop_fast(size_t lane, size_t n) {
    const uintptr_t cache = tls::offset_of(&thread_cache);
    const uint64_t top = tls::load_early<offsetof(Lane, top)>(cache, lane);
    // Pairs with the exchange of begin_reclaim(), through the barrier that follows that.
    void* object = __atomic_load_n(slot(load_either(region_view.base), top), __ATOMIC_RELAXED);
    if (object == nullptr) [[unlikely]] {
        return Slow(n);  // empty, or not set up
    }
    if (tls::count_down<offsetof(Lane, countdown)>(cache, lane)) [[unlikely]] {
        return Slow(n);  // something is due
    }
    tls::store<offsetof(Lane, top)>(cache, lane, top + 1);
    return object;
}

/// The request of `n` bytes, rounded up to a multiple of `step`, from the calling thread's own LIFO; anything
/// else is `Slow`'s, in tail position.
template <void* (*Slow)(size_t), size_t step = kSmallStep>
[[gnu::always_inline]] inline void* allocate_fast(size_t n) {
    if (n > kSmallLimit) [[unlikely]] {
        return Slow(n);
    }
    return pop_fast<Slow>(size_classes.small_index[(n + step - 1) / step * (step / kSmallStep)], n);
}

/// The same for operator new: `Over` gets what is not below its bound, which may be all requests.
template <void* (*Slow)(size_t), void* (*Over)(size_t)>
[[gnu::always_inline]] inline void* allocate_operator_fast(size_t n) {
    if (n >= load_either(region_view.operator_size_end)) [[unlikely]] {
        return Over(n);
    }
    return pop_fast<Slow>(size_classes.small_index[(n + kSmallStep - 1) / kSmallStep], n);
}

/// The same for kSmallLimit < n <= kLargestSmall.
template <void* (*Slow)(size_t)>
[[gnu::always_inline]] inline void* allocate_medium_fast(size_t n) {
    return pop_fast<Slow>(size_classes.medium_index[(n + kMediumStep - 1) / kMediumStep], n);
}

/// The second half of a release: `lane` is a class byte.
template <auto Slow, typename... Hints>
[[gnu::always_inline]] inline void push_fast(void** base, uintptr_t cache, size_t lane, void* p,
                                             Hints... hints) {
    uint64_t top = tls::load<offsetof(Lane, top)>(cache, lane);
    if (tls::count_down_low_byte(top)) [[unlikely]] {
        return Slow(p, hints...);  // full, not set up, or a free page
    }
    // Becomes visible with the store of top, which pairs with LaneOfOther::load_top().
    __atomic_store_n(slot(base, top), p, __ATOMIC_RELAXED);
    tls::store<offsetof(Lane, top)>(cache, lane, top);
}

/// Puts an object back on the calling thread's LIFO of its page's class, whichever thread it came from.
/// `Elsewhere` gets what does not lie in the pages below the limit.
template <auto Slow, auto Elsewhere = Slow, size_t RegionView::*limit = &RegionView::page_limit>
[[gnu::always_inline]] inline void release_fast(void* p) {
    void** const base = load_either(region_view.base);
    const size_t page = region_view.page_of(p);
    if (page >= load_either(region_view.*limit)) [[unlikely]] {
        return Elsewhere(p);  // null, the fallback's, foreign or misaligned
    }
    push_fast<Slow>(base, tls::offset_of(&thread_cache), region_view.class_byte(page), p);
}

/// The same, where the caller says how large the object is. A size of another class is SlowSized's to judge;
/// it gets the size less Lane::smallest.
template <auto Elsewhere, auto SlowSized, size_t RegionView::*limit = &RegionView::page_limit>
[[gnu::always_inline]] inline void release_sized_fast(void* p, size_t n) {
    void** const base = load_either(region_view.base);
    const size_t page = region_view.page_of(p);
    if (page >= load_either(region_view.*limit)) [[unlikely]] {
        return Elsewhere(p, n);
    }
    const size_t lane = region_view.class_byte(page);
    const uintptr_t cache = tls::offset_of(&thread_cache);
    const size_t excess = tls::subtract<offsetof(Lane, smallest)>(n, cache, lane);
    if (tls::above<offsetof(Lane, spread)>(excess, cache, lane)) [[unlikely]] {
        return SlowSized(p, excess);
    }
    push_fast<SlowSized>(base, cache, lane, p, excess);
}

// ---- the slow path (thread_cache.cpp) ---------------------------------------------------------------------

struct CacheSettings {
    size_t budget_bytes = 256 * KiB;  // per class and thread
    bool uncached = false;            // every operation goes to the spans and is verified
};
void set_up_thread_caches(const CacheSettings& chosen);

/// The calling thread's block; set up on first use, null when the thread is to do without.
ThreadBlock* own_block();
/// ThreadBlock::set_up_class(), with its first countdown. Under the block's lock.
void set_up_class(ThreadBlock& block, ClassIndex c, uint32_t capacity);

/// An object of class `c`, by whatever it takes short of the fallback; null with the reason when there are no
/// pages.
/// `*zeroed`: it is known to read as zero.
void* take_slow(ClassIndex c, bool* zeroed, RegionFailure* why);
/// What a request was chosen for.
struct Drawn {
    bool sampled = false;  // the profiler follows it
    bool guarded = false;  // it lies beside a guard page
};
/// What the request of class `c` that is about to be served was chosen for; asked once each, and then
/// take_slow() serves it, the profiler or the guards do. Between such turns nothing asks: countdown runs out in
/// time.
Drawn drawn_for(ClassIndex c);
/// Puts an object back whose page has a class. False: it was not the start of an object, and was reported.
bool put_back_slow(void* p, ClassIndex c, Operation operation);
/// The next request of every class takes the slow path once: a thread that goes quiet now still drives the
/// upkeep that its last frees call for.
void poll_soon();
/// The calling thread's cache back to the depots; it fills again on use.
void flush_this_thread();

}  // namespace hotlane
