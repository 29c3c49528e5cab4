// SPDX-License-Identifier: MIT
//
// The thread cache with its lanes: for each thread and size class, a stack of free objects. This file holds
// the whole fast path. It hands everything else to the template parameter `Slow`.
#pragma once

#include "diagnostics/misuse.h"
#include "maintenance/tuning.h"
#include "page_heap/region.h"
#include "page_heap/size_classes.h"
#include "platform/tls_access.h"

namespace hotlane {

struct ThreadBlock;

/// A thread's stack of free objects of one class. Its slots lie in the thread's own memory beside the region.
/// Index i names the slot at region_view.base + i - 1:
///
///      low byte 0                                          low byte <= 255
///   ... |  free  | ... |  free  | newest | ... | oldest | nullptr |  ... next class
///                               ^ top                    ^ floor
///
/// The stack grows towards lower indices. slot(top) is popped next. The slot after the oldest object holds
/// nullptr, so popping nullptr means that the lane is empty. A push first decrements the low byte of top; a
/// borrow means that the lane is full. So neither test loads a limit. A lane of zeros is empty (base[-1] is
/// nullptr) and full at the same time, so a thread that is not set up needs no test of its own. The store of
/// top is the commit point: whichever instruction a thread stops at, its lane stays readable.
struct Lane {
    uint64_t top = 0;
    uint64_t countdown = 0;  // slow-path countdown: pops until the slow path is due; counts the hits, too
    uint64_t smallest = 0;   // bytes: requests of smallest .. smallest + spread belong to this class
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
    bool ended = false;            // the thread's destructors have run: it gets no cache any more
    uint32_t uncached_frees = 0;
};

HOTLANE_HIDDEN extern constinit thread_local ThreadCache thread_cache [[gnu::tls_model("initial-exec")]];

/// The second half of a request: pops the newest object of the lane. If it cannot, `Slow` serves the request.
template <void* (*Slow)(size_t)>
[[gnu::always_inline]] inline void* pop_fast(size_t lane, size_t n) {
    const uintptr_t cache = tls::offset_of(&thread_cache);
    const uint64_t top = tls::load_early<offsetof(Lane, top)>(cache, lane);
    // Pairs with the exchange in begin_reclaim(), through the barrier that follows it.
    void* object = load_relaxed(*slot(load_either(region_view.base), top));
    if (object == nullptr) [[unlikely]] {
        return Slow(n);  // empty, or not set up
    }
    if (tls::count_down<offsetof(Lane, countdown)>(cache, lane)) [[unlikely]] {
        return Slow(n);  // something is due
    }
    tls::store<offsetof(Lane, top)>(cache, lane, top + 1);
    return object;
}

/// Serves a request of `n` bytes, rounded up to a multiple of `step`, from the calling thread's lane. Calls
/// `Slow` in tail position for every other request.
template <void* (*Slow)(size_t), size_t step = kSmallStep>
[[gnu::always_inline]] inline void* allocate_fast(size_t n) {
    if (n > kSmallLimit) [[unlikely]] {
        return Slow(n);
    }
    return pop_fast<Slow>(size_classes.small_index[(n + step - 1) / step * (step / kSmallStep)], n);
}

/// The same for operator new. `Over` gets requests that are not below region_view.operator_size_end, which
/// may be all of them.
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

/// The second half of a release: pushes `p` onto a lane. `lane` is a class byte.
template <auto Slow, typename... Hints>
[[gnu::always_inline]] inline void push_fast(void** base, uintptr_t cache, size_t lane, void* p,
                                             Hints... hints) {
    uint64_t top = tls::load<offsetof(Lane, top)>(cache, lane);
    if (tls::count_down_low_byte(top)) [[unlikely]] {
        return Slow(p, hints...);  // full, not set up, or a free page
    }
    // Becomes visible with the store of top below, which pairs with LaneOfOther::load_top().
    store_relaxed(*slot(base, top), p);
    tls::store<offsetof(Lane, top)>(cache, lane, top);
}

/// Pushes an object onto the calling thread's lane of its page's class, whichever thread allocated it.
/// `Elsewhere` gets pointers that do not lie in the pages below `limit`.
template <auto Slow, auto Elsewhere = Slow, size_t RegionView::*limit = &RegionView::page_limit>
[[gnu::always_inline]] inline void release_fast(void* p) {
    void** const base = load_either(region_view.base);
    const size_t page = region_view.page_of(p);
    if (page >= load_either(region_view.*limit)) [[unlikely]] {
        return Elsewhere(p);  // null, a block of the fallback, foreign or misaligned
    }
    push_fast<Slow>(base, tls::offset_of(&thread_cache), region_view.class_byte(page), p);
}

/// The same for a caller that passes the object's size. If the size belongs to another class, `SlowSized`
/// decides what to do; it gets the size minus Lane::smallest.
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
    bool uncached = false;            // no thread has a cache; every free goes to its span and is verified
};
void set_up_thread_caches(const CacheSettings& chosen);

/// Returns the calling thread's block, which it sets up on first use. Null if the thread gets no cache.
ThreadBlock* own_block();
/// Calls ThreadBlock::set_up_class() and sets the first countdown. The caller holds the block's lock.
void set_up_class(ThreadBlock& block, ClassIndex c, uint32_t capacity);

/// Returns an object of class `c` from the thread's lane, the depot or fresh pages. If there are no pages, it
/// returns null and sets `*why`. `*zeroed` says whether the object is known to read as zero.
void* allocate_from_cache(ClassIndex c, bool* zeroed, RegionFailure* why);
/// What a request was drawn for.
struct Drawn {
    bool sampled = false;  // the profiler tracks it
    bool guarded = false;  // it lies beside a guard page
};
/// Returns what the coming request of class `c` was drawn for. Called once for each request on the slow path,
/// before allocate_from_cache(), the profiler or the guards serve it. The fast path need not call it: the countdown
/// runs out when a drawn request comes.
Drawn drawn_for(ClassIndex c);
/// Frees an object whose page has a class. Returns false if the free was found to be wrong and was reported;
/// that is only checked when the thread caches are off (CacheSettings::uncached).
bool put_back_slow(void* p, ClassIndex c, Operation operation);
/// Makes the calling thread's next request of every class take the slow path once. So a thread that becomes
/// quiet still drives the maintenance that its last frees call for.
void poll_soon();
/// Flushes the calling thread's cache to the depots. It fills again on use.
void flush_this_thread();

}  // namespace hotlane
