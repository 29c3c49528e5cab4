// SPDX-License-Identifier: MIT
//
// The slow path of the hot lane, from the owner's side: refill, flush, and what is due once in so many pops.
// Knows nothing of the fallback or of options.
// Called by allocator when the fast path gives up.
//
//   take_slow          hit of a class above 1 KiB -> take_hit
//                      the countdown is used up      -> upkeep if due, then take_and_poll
//                      no cache yet               -> thread_registry::attach, or take_uncached
//                      empty                      -> refill: depot ring, partial span, fresh span
//   put_back_slow      the same stairs for free   -> grow, or flush the older half to the depot
#include "thread_cache/thread_cache.h"

#include "depot/depot.h"
#include "maintenance/maintenance.h"
#include "profiler/sampler.h"
#include "sync/thread_end.h"
#include "thread_cache/prefill.h"
#include "thread_cache/thread_block.h"
#include "thread_cache/thread_registry.h"

#include <algorithm>
#include <cstring>

namespace hotlane {

constinit thread_local ThreadCache thread_cache;

namespace {

constinit CacheSettings settings;

/// Frees of a thread that never allocates go straight to the depot until it has shown that it means it.
constexpr uint32_t kFreesBeforeCache = 32;
/// Pops of a class that was just set up, until the first look at the clock.
constexpr uint64_t kFirstCountdown = 1;

size_t object_size(ClassIndex c) { return size_classes[c].object_size; }
uint32_t first_capacity(ClassIndex c) {
    return tuning::first_capacity(object_size(c), settings.budget_bytes);
}
uint32_t largest_capacity(ClassIndex c) {
    return tuning::largest_capacity(object_size(c), settings.budget_bytes);
}

/// The fast path may have given up after it had counted. Taken back at once: what is due may empty the lane.
uint64_t resolved_countdown(Lane& lane, ClassIndex c) {
    const uint64_t countdown = __atomic_load_n(&lane.countdown, __ATOMIC_RELAXED);
    if (static_cast<int64_t>(countdown) >= 0) {
        return countdown;
    }
    if (countdown == UINT64_MAX) [[likely]] {
        __atomic_store_n(&lane.countdown, 0, __ATOMIC_RELAXED);
    } else {
        LockGuard guard(thread_cache.block->lock);
        thread_cache.block->resolve_countdown(c);
    }
    return 0;
}

/// A hit that the fast path did not try: of a class above kSmallLimit, or of an aligned request.
void* take_hit(ClassIndex c) {
    Lane& lane = thread_cache.lanes[c];
    const uint64_t top = __atomic_load_n(&lane.top, __ATOMIC_RELAXED);
    void* object = __atomic_load_n(slot(region_view.base, top), __ATOMIC_RELAXED);
    const uint64_t countdown = resolved_countdown(lane, c);
    if (object == nullptr || countdown == 0) {
        return nullptr;
    }
    __atomic_store_n(&lane.countdown, countdown - 1, __ATOMIC_RELAXED);
    // Pairs with LaneOfOther::load_top(), as the store of the fast path does.
    __atomic_store_n(&lane.top, top + 1, __ATOMIC_RELEASE);
    return object;
}

}  // namespace

void set_up_class(ThreadBlock& block, ClassIndex c, uint32_t capacity) {
    block.set_up_class(c, capacity);
    block.poll_after(c, kFirstCountdown);
    block.record(c).last_poll_ns = os::coarse_ns();
}

ThreadBlock* own_block() {
    ThreadCache& cache = thread_cache;
    if (cache.block == nullptr && !settings.uncached && !cache.ended && thread_registry::attach()) {
        LockGuard guard(cache.block->lock);
        warm_up_new_thread(*cache.block);
    }
    return cache.block;
}

namespace {

void* refill(ThreadBlock& block, ClassIndex c, bool may_grow, bool* zeroed, RegionFailure* why) {
    if (!block.is_set_up(c)) {
        set_up_class(block, c, first_capacity(c));
    } else if (const uint32_t more = tuning::grown_capacity(block.capacity(c), largest_capacity(c));
               more > block.capacity(c) && !may_grow) {
        block.grow(c, more);  // once: a second attempt follows the first
    }
    // Taken to where they will be popped from: the lowest address on top.
    ClassRecord& record = block.record(c);
    const uint32_t wanted = tuning::refill_count(block.capacity(c));
    void** const place = slot(region_view.base, record.floor - wanted);
    const uint32_t taken = depots[c].take(place, wanted, may_grow, zeroed, why);
    if (taken == 0) {
        return nullptr;
    }
    void* object = place[0];
    memmove(place + (wanted - taken) + 1, place + 1, (taken - 1) * sizeof *place);
    ++record.misses;
    ++record.refills;
    record.refilled += taken - 1;
    block.set_top(c, record.floor - (taken - 1));
    block.limit_countdown(c);  // a miss brings the sample nearer too
    return object;
}

/// Once in so many pops: what is due was done before we came (take_slow); now the pop, and the next countdown.
void* take_and_poll(ThreadBlock& block, ClassIndex c) {
    ClassRecord& record = block.record(c);
    const uint64_t now = os::coarse_ns();
    const uint64_t pops = tuning::next_poll(record.poll_after + 1U, now - record.last_poll_ns);
    record.last_poll_ns = now;
    ++record.hits_before;
    block.poll_after(c, pops);
    void* object = *slot(region_view.base, block.top(c));
    block.set_top(c, block.top(c) + 1);
    return object;
}

void* take_uncached(ClassIndex c, bool* zeroed, RegionFailure* why) {
    void* object = nullptr;
    if (depots[c].take(&object, 1, true, zeroed, why) != 0) {
        thread_registry::count_uncached_get(c);
    }
    return object;
}

/// Counted first: a child that undoes the free finds it counted.
bool put_back_uncached(void* p, ClassIndex c, Operation operation) {
    thread_registry::count_uncached_puts(c, 1);
    if (!settings.uncached) {
        depots[c].put_back_late(p);
        return true;
    }
    const bool done = depots[c].put_back_checked(p, operation);
    if (!done) {
        thread_registry::count_uncached_puts(c, -1);
    }
    return done;
}

void put_back_cached(ThreadBlock& block, void* p, ClassIndex c) {
    block.resolve_pending_reclaim(c);
    if (!block.is_set_up(c)) {
        set_up_class(block, c, first_capacity(c));
    } else if (block.level(c) == block.capacity(c)) {
        const uint32_t capacity = tuning::grown_capacity(block.capacity(c), largest_capacity(c));
        if (capacity > block.capacity(c)) {
            block.grow(c, capacity);
        } else {
            block.flush_oldest(c, tuning::flush_count(block.level(c)));
        }
    }
    *slot(region_view.base, block.top(c) - 1) = p;
    block.set_top(c, block.top(c) - 1);
}

}  // namespace

void set_up_thread_caches(const CacheSettings& chosen) { settings = chosen; }

void* take_slow(ClassIndex c, bool* zeroed, RegionFailure* why) {
    *zeroed = false;
    if (void* object = take_hit(c)) {
        return object;
    }
    maintenance::poll();
    if (locks_are_lost()) [[unlikely]] {
        *why = RegionFailure::no_region;
        return nullptr;
    }
    ThreadBlock* block = own_block();
    if (block == nullptr) {
        return take_uncached(c, zeroed, why);
    }
    // Pages never used before are taken only after what lies unused has been looked through, if that is due.
    for (const bool may_grow : {false, true}) {
        if (may_grow) {
            maintenance::flush_before_growth_if_due();
        }
        LockGuard guard(block->lock);
        block->resolve_pending_reclaim(c);
        if (block->level(c) != 0) {
            return take_and_poll(*block, c);
        }
        void* object = refill(*block, c, may_grow, zeroed, why);
        if (object != nullptr || *why != RegionFailure::would_grow) {
            return object;
        }
    }
    return nullptr;
}

namespace {

[[gnu::noinline]] Drawn drawn_for_slow(ClassIndex c, uint32_t epoch) {
    // What libc allocates for our key of a thread's end is no request of the program's: a profile leaves it
    // out.
    if (thread_end::is_busy()) {
        return {};
    }
    ThreadBlock* block = own_block();
    if (block == nullptr) {
        return {.sampled = sampler::running() && sampler::draw(object_size(c)),
                .guarded = sampler::draw_guard_gap() == 0};
    }
    LockGuard guard(block->lock);
    block->resolve_countdown(c);
    block->ensure_record(c);
    const Drawn drawn = block->take_turn(c, epoch);
    block->limit_countdown(c);
    return drawn;
}

}  // namespace

Drawn drawn_for(ClassIndex c) {
    const uint32_t epoch = sampler::epoch();
    const ThreadBlock* const block = thread_cache.block;
    if (epoch == 0 || (block != nullptr && !block->may_have_turn(c, epoch))) [[likely]] {
        return {};
    }
    return drawn_for_slow(c, epoch);
}

bool put_back_slow(void* p, ClassIndex c, Operation operation) {
    const uint64_t now = maintenance::poll_at_free();
    if (locks_are_lost()) [[unlikely]] {
        return true;
    }
    ThreadCache& cache = thread_cache;
    if (cache.block == nullptr && cache.uncached_frees < kFreesBeforeCache) {
        ++cache.uncached_frees;
        return put_back_uncached(p, c, operation);
    }
    // libc frees in threads that are past their destructors: those get no cache any more.
    if (cache.block == nullptr && !cache.ended && !settings.uncached && os::thread_is_leaving()) {
        return put_back_uncached(p, c, operation);
    }
    ThreadBlock* block = own_block();
    if (block == nullptr) {
        return put_back_uncached(p, c, operation);
    }
    LockGuard guard(block->lock);
    put_back_cached(*block, p, c);
    // Should this be the last of a burst of frees, then the few requests that follow have to drive the purge.
    // The clock is coarse: this happens some hundred times a second at most.
    if (now != block->poll_soon_ns && region.has_free_dirty_pages()) {
        block->poll_soon_ns = now;
        block->poll_soon();
    }
    return true;
}

void poll_soon() {
    if (ThreadBlock* block = thread_cache.block) {
        LockGuard guard(block->lock);
        block->poll_soon();
    }
}

void flush_this_thread() {
    if (ThreadBlock* block = thread_cache.block) {
        LockGuard guard(block->lock);
        for (ClassIndex c = 1; c < size_classes.count; ++c) {
            block->flush_all(c);
        }
    }
}

}  // namespace hotlane
