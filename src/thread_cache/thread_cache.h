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

/// A thread's stack of free objects of one class. Its slots lie in a window of the thread's own memory:
///
///    multiple of 2 KiB                                   at most 2 KiB further
///    ^ begin   | ... |  free  | newest | ... | oldest | nullptr |
///                             ^ top                   ^ floor
///
/// The stack grows towards lower addresses. The object at `top` is popped next. The slot after the oldest object
/// holds nullptr, so popping nullptr means that the lane is empty. A lane is full when its top is at the window's
/// begin, whose low eleven bits are zero. So neither test loads a limit. A lane of zeros needs no test of its own
/// either: its countdown of 0 sends a request to the slow path before `top` is used, and a top of 0 looks full to a
/// free. The store of top is the commit point: whichever instruction a thread stops at, its lane stays readable.
struct Lane {
    void** top = nullptr;    // the newest object's slot
    uint64_t countdown = 0;  // slow-path countdown: pops until the slow path is due; counts the hits, too
    uint64_t smallest = 0;   // bytes: requests of smallest .. smallest + spread belong to this class
    uint64_t spread = 0;
};
static_assert(sizeof(Lane) == SizeClasses::kLaneBytes);

/// The distance of two windows in bytes, and their alignment.
inline constexpr size_t kWindowBytes = 2048;

struct ThreadCounts {
    uint64_t allocations = 0;
    uint64_t frees = 0;
};

struct ThreadCache {
    Lane lanes[kMaxClasses] = {};
    ThreadBlock* block = nullptr;  // null: not set up, or ended
    bool ended = false;            // the thread's destructors have run: it gets no cache any more
    uint32_t uncached_frees = 0;
    uint32_t forbidding = 0;  // scopes in which the thread may not allocate (thread_counts.h)
    ThreadCounts uncached;    // requests of the thread that its block does not count
};

HOTLANE_HIDDEN extern constinit thread_local ThreadCache thread_cache [[gnu::tls_model("initial-exec")]];

/// The place of a lane of the calling thread's cache, relative to the thread pointer. `lane` is lane_of() its class.
[[gnu::always_inline]] inline uintptr_t place_of_lane(size_t lane) {
    return tls::sum(lane, tls::offset_of(&thread_cache));
}

/// The second half of a request: pops the newest object of the lane. If it cannot, `Slow` serves the request.
template <void* (*Slow)(size_t)>
[[gnu::always_inline]] inline void* pop_fast(uintptr_t lane, size_t n) {
    if (tls::count_down<offsetof(Lane, countdown)>(lane)) [[unlikely]] {
        return Slow(n);  // something is due, or the lane is not set up
    }
    void** const top = tls::load_slot<offsetof(Lane, top)>(lane);
    // Pairs with the exchange in begin_reclaim(), through the barrier that follows it.
    void* object = load_relaxed(*top);
    if (object == nullptr) [[unlikely]] {
        tls::count_up<offsetof(Lane, countdown)>(lane);
        return Slow(n);  // empty
    }
    tls::store<offsetof(Lane, top)>(lane, address_of(top + 1));
    return object;
}

/// Serves a request of `n` bytes from the calling thread's lane. Calls `Slow` in tail position for every other
/// request.
template <void* (*Slow)(size_t)>
[[gnu::always_inline]] inline void* allocate_fast(size_t n) {
    if (n > kSmallLimit) [[unlikely]] {
        return Slow(n);
    }
    return pop_fast<Slow>(
        place_of_lane(load_either(size_classes.small_index[(n + kSmallStep - 1) / kSmallStep])), n);
}

/// The same for an object at a multiple of 64.
template <void* (*Slow)(size_t)>
[[gnu::always_inline]] inline void* allocate_line_fast(size_t n) {
    if (n > kSmallLimit) [[unlikely]] {
        return Slow(n);
    }
    constexpr size_t kStep = SizeClasses::kCoarseStep;
    return pop_fast<Slow>(place_of_lane(size_classes.line_index[(n + kStep - 1) / kStep]), n);
}

/// The same for operator new. `Over` gets requests that are not below region_view.operator_size_end, which
/// may be all of them.
template <void* (*Slow)(size_t), void* (*Over)(size_t)>
[[gnu::always_inline]] inline void* allocate_operator_fast(size_t n) {
    if (n >= load_either(region_view.operator_size_end)) [[unlikely]] {
        return Over(n);
    }
    return pop_fast<Slow>(
        place_of_lane(load_either(size_classes.small_index[(n + kSmallStep - 1) / kSmallStep])), n);
}

/// The same for kSmallLimit < n <= kLargestSmall.
template <void* (*Slow)(size_t)>
[[gnu::always_inline]] inline void* allocate_medium_fast(size_t n) {
    return pop_fast<Slow>(place_of_lane(size_classes.medium_index[(n + kMediumStep - 1) / kMediumStep]), n);
}

/// The second half of a release: pushes `p` onto a lane.
template <auto Slow, typename... Hints>
[[gnu::always_inline]] inline void push_fast(uintptr_t lane, void* p, Hints... hints) {
    void** const top = tls::load_slot<offsetof(Lane, top)>(lane);
    if (address_of(top) % kWindowBytes == 0) [[unlikely]] {
        return Slow(p, hints...);  // full, not set up, or a free page
    }
    // Becomes visible with the store of top below, which pairs with LaneOfOther::load_top().
    store_relaxed(top[-1], p);
    tls::store<offsetof(Lane, top)>(lane, address_of(top - 1));
}

/// Pushes an object onto the calling thread's lane of its page's class, whichever thread allocated it.
/// `Elsewhere` gets pointers that do not lie in the pages below `limit`.
template <auto Slow, auto Elsewhere = Slow, size_t RegionView::*limit = &RegionView::page_limit>
[[gnu::always_inline]] inline void release_fast(void* p) {
    const size_t page = region_view.page_of(p);
    if (page >= load_either(region_view.*limit)) [[unlikely]] {
        return Elsewhere(p);  // null, a block of the fallback, foreign or misaligned
    }
    push_fast<Slow>(place_of_lane(region_view.class_entry(page)), p);
}

/// The same for a caller that passes the object's size. If the size belongs to another class, `SlowSized`
/// decides what to do; it gets the size minus Lane::smallest.
template <auto Elsewhere, auto SlowSized, size_t RegionView::*limit = &RegionView::page_limit>
[[gnu::always_inline]] inline void release_sized_fast(void* p, size_t n) {
    const size_t page = region_view.page_of(p);
    if (page >= load_either(region_view.*limit)) [[unlikely]] {
        return Elsewhere(p, n);
    }
    const uintptr_t lane = place_of_lane(region_view.class_entry(page));
    const size_t excess = tls::subtract<offsetof(Lane, smallest)>(n, lane);
    if (tls::above<offsetof(Lane, spread)>(excess, lane)) [[unlikely]] {
        return SlowSized(p, excess);
    }
    push_fast<SlowSized>(lane, p, excess);
}

// ---- the slow path (thread_cache.cpp) ---------------------------------------------------------------------

struct CacheSettings {
    size_t budget_bytes = 64 * KiB;          // per class and thread
    bool automatic = false;                  // the limits follow what each thread needs (Swing)
    uint32_t class_bytes[kMaxClasses] = {};  // limits of single classes; 0: as the others
    bool lists_classes = false;              // there are such limits; set by set_up_thread_caches()
    bool uncached = false;  // no thread has a cache; every free goes to its span and is verified
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
