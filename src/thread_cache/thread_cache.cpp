// SPDX-License-Identifier: MIT
//
// The slow paths of the thread cache on the owner's side: refill, flush, and polls of maintenance.
//
//   allocate_from_cache: a request that the fast path did not serve
//     1. the lane can serve it after all      -> pop_hit: pop (aligned requests, and calloc above 1 KiB)
//     2. otherwise                            -> maintenance::poll: a pass, if one is due
//     3. the thread has no cache              -> own_block: attach to a block; if refused, allocate_uncached
//     4. the lane holds objects               -> pop_and_poll: pop and set the next countdown
//     5. the lane is empty                    -> refill from the depot: shelf, partial span, fresh span
//     6. the refill would use fresh pages     -> flush_before_growth_if_due, then steps 4 and 5 once more
//   put_back_slow: a free that the fast path did not serve
//     1. always                               -> maintenance::poll_at_free: a pass, if one is due
//     2. a thread without a cache             -> its first frees and late frees: put_back_uncached
//                                                otherwise own_block: attach; if refused, put_back_uncached
//     3. the lane is not set up               -> set it up and push
//     4. the lane is full                     -> grow it or flush its older half to the depot, and push
//     5. the region has free dirty pages      -> poll_soon: the next requests drive the purge
#include "thread_cache/thread_cache.h"

#include "depot/depot.h"
#include "maintenance/maintenance.h"
#include "profiler/sampler.h"
#include "sync/thread_end.h"
#include "thread_cache/prefill.h"
#include "thread_cache/thread_block.h"
#include "thread_cache/thread_counts.h"
#include "thread_cache/thread_registry.h"

#include <algorithm>
#include <cstring>

namespace hotlane {

constinit thread_local ThreadCache thread_cache;

namespace {

HOTLANE_DATA_OF_EVERY_PROCESS constinit CacheSettings settings;
/// Computed once: every overflow asks, and a division takes as long as two atomic operations.
constinit uint8_t usual_capacities[kMaxClasses];
constinit uint8_t one_way_capacities[kMaxClasses];  // of lanes whose thread only allocates or only frees

/// A thread that only frees gets a cache after this many frees; until then its frees go to the depot.
constexpr uint32_t kFreesBeforeCache = 32;
/// How many pops of a class that was just set up come before the first poll.
constexpr uint64_t kFirstCountdown = 1;

size_t object_size(ClassIndex c) { return size_classes[c].object_size; }

/// What a lane of the class may hold before its swing is known. A thread that only allocates or only frees exchanges whole
/// lanes, others half of them: with half the capacity, it exchanges as much at once.
uint32_t capacity_by_settings(ClassIndex c, bool one_way) {
    if (settings.class_bytes[c] != 0) {
        return tuning::listed_capacity(object_size(c), settings.class_bytes[c]);
    }
    const size_t budget = settings.automatic ? tuning::kAutomaticBytes : settings.budget_bytes;
    return tuning::largest_capacity(object_size(c), one_way ? budget / 2 : budget);
}
uint32_t usual_capacity(ClassIndex c) { return usual_capacities[c]; }
/// A lane that overflowed and then ran dry is of a thread that does both in turn.
uint32_t largest_capacity(const ThreadBlock& block, ClassIndex c, bool one_way) {
    const Swing& swing = block.swings[c];
    return one_way && swing.most == 0 ? one_way_capacities[c]
                                      : std::max<uint32_t>(swing.capacity, usual_capacity(c));
}
uint32_t first_capacity(ClassIndex c) { return tuning::first_capacity(object_size(c), usual_capacity(c)); }

/// Pops an object for a request that the fast path did not try: an aligned request, or calloc above
/// kSmallLimit. Null if the lane is empty or the countdown is used up.
void* pop_hit(ClassIndex c) {
    Lane& lane = thread_cache.lanes[c];
    Countdown::resolve(lane.countdown);
    const uint64_t countdown = load_relaxed(lane.countdown);
    if (countdown == 0) {
        return nullptr;  // the lane may not be set up
    }
    void** const top = load_relaxed(lane.top);
    void* object = load_relaxed(*top);
    if (object != nullptr) {
        store_relaxed(lane.countdown, countdown - 1);
        // Pairs with LaneOfOther::load_top(), like the store in the fast path.
        store_release(lane.top, top + 1);
    }
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

/// What the lanes of the other classes may hold. Classes with limits of their own count only if `all`. The lanes are not
/// looked at one by one: that would fetch a cache line for each.
size_t bytes_of_others(const ThreadBlock& block, ClassIndex c, bool all) {
    size_t bytes = block.lanes_bytes - block.lane_bytes(c);
    for (ClassIndex other = 1; !all && settings.lists_classes && other < size_classes.count; ++other) {
        bytes -= other != c && settings.class_bytes[other] != 0 ? block.lane_bytes(other) : 0;
    }
    return bytes;
}

/// The capacity of a lane after a miss or an overflow. It grows only while the lanes of the thread stay within a total, which
/// is larger for a lane that overflowed and then ran dry. Limits that were given for single classes are kept beside that.
uint32_t grown_capacity(const ThreadBlock& block, ClassIndex c, bool one_way) {
    const uint32_t capacity = block.capacity(c);
    const uint32_t grown = tuning::grown_capacity(capacity, largest_capacity(block, c, one_way));
    if (grown <= capacity || settings.automatic || settings.class_bytes[c] != 0) {
        return grown;
    }
    const size_t total = bytes_of_others(block, c, false) + grown * object_size(c);
    const bool is_too_small = block.swings[c].most > capacity;
    return total <= tuning::total_budget(settings.budget_bytes, is_too_small) ? grown : capacity;
}

/// The class, other than `c`, that can give up the most bytes: its lane is larger than usual, and it refilled
/// after an overflow less often than `c` of late. kNoClass if there is none.
ClassIndex class_to_shrink(const ThreadBlock& block, ClassIndex c) {
    ClassIndex found = kNoClass;
    size_t most = 0;
    for (ClassIndex other = 1; other < size_classes.count; ++other) {
        const size_t usual = usual_capacity(other) * object_size(other);
        if (other != c && block.swings[other].recent < block.swings[c].recent &&
            block.lane_bytes(other) > usual + most) {
            found = other;
            most = block.lane_bytes(other) - usual;
        }
    }
    return found;
}

void shrink(ThreadBlock& block, ClassIndex c) {
    block.resolve_pending_reclaim(c);
    const uint32_t usual = usual_capacity(c);
    if (block.level(c) > usual) {
        block.flush_oldest(c, block.level(c) - usual);
    }
    block.set_capacity(c, usual);
    block.swings[c].capacity = 0;
}

/// Counts a refill after an overflow. The counts of all classes are halved together, so that old ones fade.
void count_recent(ThreadBlock& block, ClassIndex c) {
    constexpr uint8_t kMany = 64;
    if (++block.swings[c].recent == kMany) {
        for (Swing& each : block.swings) {
            each.recent /= 2;
        }
    }
}

/// With HOTLANE_THREAD_CACHE=auto: lets the lane hold its swing, if all lanes of the thread together stay
/// within their total. Classes that need their room less often give it up. Not inlined: it would take the most stack of
/// all that refill() does, and is rarely called.
[[gnu::noinline]] void adapt_capacity(ThreadBlock& block, ClassIndex c, uint32_t swing) {
    count_recent(block, c);
    const uint32_t wanted = tuning::capacity_for_swing(swing);
    if (wanted <= largest_capacity(block, c, false)) {
        return;
    }
    size_t others = bytes_of_others(block, c, true);
    while (others + wanted * object_size(c) > tuning::kAutomaticTotalBytes) {
        const ClassIndex other = class_to_shrink(block, c);
        if (other == kNoClass) {
            break;
        }
        others -= block.lane_bytes(other);
        shrink(block, other);
        others += block.lane_bytes(other);
    }
    const size_t room = tuning::kAutomaticTotalBytes - std::min(others, tuning::kAutomaticTotalBytes);
    block.swings[c].capacity = static_cast<uint8_t>(std::min<size_t>(wanted, room / object_size(c)));
}

/// A refill that follows an overflow: the lane was too small for its swing.
void note_refill(ThreadBlock& block, ClassIndex c) {
    Swing& swing = block.swings[c];
    if (swing.flushed == 0) {
        return;
    }
    const uint32_t needed = std::min<uint32_t>(block.capacity(c) + swing.flushed, UINT16_MAX);
    swing.most = static_cast<uint16_t>(std::max<uint32_t>(swing.most, needed));
    swing.flushed = 0;
    if (settings.automatic && settings.class_bytes[c] == 0) {
        adapt_capacity(block, c, needed);
    }
}

void* refill(ThreadBlock& block, ClassIndex c, bool may_grow, bool* zeroed, RegionFailure* why) {
    const bool is_new = !block.is_set_up(c);
    if (is_new) {
        set_up_class(block, c, first_capacity(c));
    }
    ClassRecord& record = block.record(c);
    const uint64_t taken_before = record.misses + record.refilled;
    // The lane is empty, so this is the number of frees.
    const uint64_t frees = record.countdown.hits(block.lane(c).countdown) + record.flushed - record.refilled;
    const bool frees_none = Swing::is_unchanged(block.swings[c].puts_at_refill, frees);
    const uint32_t capacity = block.capacity(c);
    const bool may_double = !is_new && taken_before > tuning::refill_count(capacity);
    if (const uint32_t more = grown_capacity(block, c, frees_none);
        may_double && more > capacity && !may_grow) {
        block.set_capacity(c, more);  // only in the first attempt, so that a request grows the lane once
    }
    // The objects are taken directly into their slots. The object with the lowest address is popped first.
    uint32_t wanted = tuning::most_from_shelf(block.capacity(c), frees_none);
    uint32_t taken = depots[c].refill_from_shelves(record.floor - wanted, wanted, &block.spare);
    if (taken == 0) {
        wanted = tuning::refill_from_spans_count(block.capacity(c), taken_before);
        taken = depots[c].refill_from_spans(record.floor - wanted, wanted, may_grow, zeroed, why);
    }
    void** const place = record.floor - wanted;
    if (taken == 0) {
        return nullptr;
    }
    void* object = place[0];
    memmove(place + (wanted - taken) + 1, place + 1, (taken - 1) * sizeof *place);
    ++record.misses;
    ++record.refills;
    record.refilled += taken - 1;
    block.set_top(c, record.floor - (taken - 1));
    note_refill(block, c);
    block.limit_countdown(c);  // a miss brings the sample nearer too
    return object;
}

/// The countdown is used up and allocate_from_cache() has polled: pops an object and sets the next countdown.
void* pop_and_poll(ThreadBlock& block, ClassIndex c, uint64_t now) {
    ClassRecord& record = block.record(c);
    const uint64_t pops = tuning::next_poll(record.poll_after + 1U, now - record.last_poll_ns);
    record.last_poll_ns = now;
    record.countdown.count_hit();
    block.poll_after(c, pops);
    void* object = *block.top(c);
    block.set_top(c, block.top(c) + 1);
    return object;
}

void* allocate_uncached(ClassIndex c, bool* zeroed, RegionFailure* why) {
    void* object = nullptr;
    if (depots[c].refill(&object, 1, true, zeroed, why) != 0) {
        thread_registry::count_uncached_get(c);
    }
    return object;
}

/// The free is counted before it is done, so that a forked child that undoes it finds it counted.
bool put_back_uncached(void* p, ClassIndex c, Operation operation) {
    thread_registry::count_uncached_put(c);
    if (!settings.uncached) {
        depots[c].put_back_late(p);
        return true;
    }
    const bool done = depots[c].put_back_checked(p, operation);
    if (!done) {
        thread_registry::uncount_uncached_put(c);
    }
    return done;
}

void put_back_cached(ThreadBlock& block, void* p, ClassIndex c) {
    block.resolve_pending_reclaim(c);
    if (!block.is_set_up(c)) {
        set_up_class(block, c, first_capacity(c));
    } else if (block.level(c) == block.capacity(c)) {
        const bool allocates_none = Swing::is_unchanged(block.swings[c].gets_at_flush, block.allocations(c));
        const uint32_t capacity = grown_capacity(block, c, allocates_none);
        if (capacity > block.capacity(c)) {
            block.set_capacity(c, capacity);
        } else {
            const bool frees_only = allocates_none && block.swings[c].flushed != 0;
            const uint32_t count = tuning::flush_count(block.level(c), frees_only);
            block.flush_oldest(c, count);
            block.swings[c].add_flushed(count);
        }
    }
    *(block.top(c) - 1) = p;
    block.set_top(c, block.top(c) - 1);
}

}  // namespace

void set_up_thread_caches(const CacheSettings& chosen) {
    settings = chosen;
    settings.lists_classes = false;
    for (ClassIndex c = 1; c < size_classes.count; ++c) {
        settings.lists_classes = settings.lists_classes || settings.class_bytes[c] != 0;
        usual_capacities[c] = static_cast<uint8_t>(capacity_by_settings(c, false));
        one_way_capacities[c] = static_cast<uint8_t>(capacity_by_settings(c, true));
    }
}

void* allocate_from_cache(ClassIndex c, bool* zeroed, RegionFailure* why) {
    *zeroed = false;
    if (void* object = pop_hit(c)) {
        return object;
    }
    const uint64_t now = maintenance::poll();
    if (locks_are_lost()) [[unlikely]] {
        *why = RegionFailure::no_region;
        return nullptr;
    }
    ThreadBlock* block = own_block();
    if (block == nullptr) {
        return allocate_uncached(c, zeroed, why);
    }
    // Before the region grows into pages that were never used, unused objects are flushed, if that is due.
    for (const bool may_grow : {false, true}) {
        if (may_grow) {
            maintenance::flush_before_growth_if_due();
        }
        LockGuard guard(block->lock);
        block->resolve_pending_reclaim(c);
        if (block->level(c) != 0) {
            return pop_and_poll(*block, c, now);
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
    // libc allocates while our pthread key for the thread's end is set. That is no request of the program, so
    // it is not sampled.
    if (thread_end::is_busy()) {
        return {};
    }
    ThreadBlock* block = own_block();
    if (block == nullptr) {
        return {.sampled = sampler::running() && sampler::draw(object_size(c)),
                .guarded = sampler::draw_guard_gap() == 0};
    }
    LockGuard guard(block->lock);
    Countdown::resolve(block->lane(c).countdown);
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
    thread_counts::check_free(p);
    const uint64_t now = maintenance::poll_at_free();
    if (locks_are_lost()) [[unlikely]] {
        return true;
    }
    ThreadCache& cache = thread_cache;
    if (cache.block == nullptr && cache.uncached_frees < kFreesBeforeCache) {
        ++cache.uncached_frees;
        return put_back_uncached(p, c, operation);
    }
    // libc also frees in threads that are past their destructors. These threads get no cache any more.
    if (cache.block == nullptr && !cache.ended && !settings.uncached && os::thread_is_leaving()) {
        return put_back_uncached(p, c, operation);
    }
    ThreadBlock* block = own_block();
    if (block == nullptr) {
        return put_back_uncached(p, c, operation);
    }
    LockGuard guard(block->lock);
    put_back_cached(*block, p, c);
    // If this free is the last of a burst, the few requests that follow have to drive the purge. The clock is
    // coarse, so this happens a few hundred times a second at most.
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
