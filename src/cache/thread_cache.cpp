// SPDX-License-Identifier: MIT
//
// The slow path of the hot lane, from the owner's side: refill, flush, and what the pop count calls for.
// Knows nothing of the fallback or of options.
// Called by allocator when the fast path gives up.
//
//   take_slow          hit of a class above 1 KiB -> take_hit
//                      the pop count came round   -> look_at_clock, then the hit
//                      no cache yet               -> threads::attach, or take_uncached
//                      empty                      -> refill: depot ring, partial span, fresh span
//   put_back_slow      the same stairs for free   -> grow, or flush the older half to the depot
#include "cache/thread_cache.h"

#include "cache/thread_block.h"
#include "cache/threads.h"
#include "cache/upkeep.h"
#include "depot/depot.h"

#include <algorithm>
#include <cstring>

namespace hotlane {

constinit void* const no_slots[1] = {nullptr};
constinit thread_local ThreadCache thread_cache;

namespace {

constinit CacheSettings settings;

/// Frees of a thread that never allocates go straight to the depot until it has shown that it means it.
constexpr uint32_t kFreesBeforeCache = 32;

uint32_t slots_end(ClassIndex c) { return (c + 1) * word::kSlotsPerClass; }

size_t object_size(ClassIndex c) { return size_classes[c].object_size; }

/// A pop that the fast path did not do: of a class above kSmallLimit, or because the count came round.
void* take_hit(ThreadCache& cache, ClassIndex c) {
    const uint64_t before = word::load(cache.words[c]);
    void* object = word::load_slot(cache.slots + word::top(before) - 1);
    uint64_t after = 0;
    if (object == nullptr || __builtin_add_overflow(before, word::kPop, &after)) {
        return nullptr;
    }
    word::store(cache.words[c], after);
    return object;
}

void set_up_class(ThreadBlock& block, ClassIndex c, uint32_t capacity) {
    ClassRecord& record = block.records[c];
    record.capacity = capacity;
    record.floor = slots_end(c) - capacity - 1;
    word::store_slot(block.slots + record.floor, nullptr);
    word::store(block.cache->words[c], record.floor + 1);
    if (record.look_every == 0) {
        record.look_every = 1024;
        record.last_look_ns = os::coarse_ns();
    }
    record.preset = 0;
    block.preset_trigger(c, record.look_every);
}

uint32_t largest_capacity(ClassIndex c) {
    return policy::largest_capacity(object_size(c), settings.budget_bytes);
}

/// More room below the stack: the objects move down, towards the beginning of the class's slots.
void grow(ThreadBlock& block, ClassIndex c, uint32_t capacity) {
    ClassRecord& record = block.records[c];
    uint64_t& w = block.cache->words[c];
    const uint32_t level = block.level(c);
    const uint32_t new_floor = slots_end(c) - capacity - 1;
    memmove(block.slots + new_floor + 1, block.slots + record.floor + 1, level * sizeof(void*));
    word::store_slot(block.slots + new_floor, nullptr);
    word::store(w, word::load(w) - (record.floor - new_floor));
    record.floor = new_floor;
    record.capacity = capacity;
}

void* refill(ThreadBlock& block, ClassIndex c, bool* zeroed, RegionFailure* why) {
    ClassRecord& record = block.records[c];
    const uint32_t capacity =
        record.floor == 0
            ? policy::first_capacity(object_size(c), settings.budget_bytes)
            : std::max(record.capacity, policy::grown_capacity(record.capacity, largest_capacity(c)));
    if (record.floor == 0) {
        set_up_class(block, c, capacity);
    } else if (capacity != record.capacity) {
        grow(block, c, capacity);
    }
    void** const bottom = block.slots + record.floor + 1;
    const uint32_t taken = depots[c].take(bottom, policy::refill_count(record.capacity), zeroed, why);
    if (taken == 0) {
        return nullptr;
    }
    ++record.misses;
    ++record.refills;
    record.refilled += taken - 1;
    uint64_t& w = block.cache->words[c];
    word::store(w, word::load(w) + (taken - 1));
    return bottom[taken - 1];
}

/// The older half to the depot, the newer half down to the floor.
void flush_older_half(ThreadBlock& block, ClassIndex c) {
    ClassRecord& record = block.records[c];
    const uint32_t level = block.level(c);
    const uint32_t count = policy::flush_count(level);
    void** const bottom = block.slots + record.floor + 1;
    depots[c].put_back(bottom, count);
    memmove(bottom, bottom + count, (level - count) * sizeof(void*));
    uint64_t& w = block.cache->words[c];
    word::store(w, word::load(w) - count);
    ++record.flushes;
    record.flushed += count;
}

/// Once in so many pops: is anything due? Then the pop itself, counted by hand as its addition was not made.
void* take_with_look(ThreadBlock& block, ClassIndex c) {
    const uint64_t now = os::coarse_ns();
    ClassRecord& record = block.records[c];
    record.look_every = policy::next_look(record.look_every, now - record.last_look_ns);
    record.last_look_ns = now;
    block.preset_trigger(c, record.look_every);
    uint64_t& w = block.cache->words[c];
    void* object = word::load_slot(block.slots + word::top(word::load(w)) - 1);
    word::store(w, word::load(w) - 1);
    ++record.hits_before;
    return object;
}

void* take_uncached(ClassIndex c, bool* zeroed, RegionFailure* why) {
    void* object = nullptr;
    if (depots[c].take(&object, 1, zeroed, why) != 0) {
        threads::count_uncached_get(c);
    }
    return object;
}

bool put_back_uncached(void* p, ClassIndex c, Operation operation) {
    if (settings.uncached) {
        if (!depots[c].put_back_checked(p, operation)) {
            return false;
        }
    } else {
        depots[c].put_back(&p, 1);
    }
    threads::count_uncached_put(c);
    return true;
}

void put_back_cached(ThreadBlock& block, void* p, ClassIndex c) {
    LockGuard guard(block.lock);
    ClassRecord& record = block.records[c];
    block.settle_limbo(c);
    uint64_t& w = block.cache->words[c];
    if (record.floor == 0) {
        set_up_class(block, c, policy::first_capacity(object_size(c), settings.budget_bytes));
    } else if (word::full(word::load(w))) {
        const uint32_t capacity = policy::grown_capacity(record.capacity, largest_capacity(c));
        if (capacity > record.capacity) {
            grow(block, c, capacity);
        } else {
            flush_older_half(block, c);
        }
    }
    word::store_slot(block.slots + word::top(word::load(w)), p);
    word::store(w, word::load(w) + word::kPush);
}

/// What the user asked to have ready: filled into the LIFO as far as it goes, the rest into the depot;
/// touched, so that the first request meets no page fault.
void warm_up(ThreadBlock& block) {
    for (size_t i = 0; i < settings.warmup_count; ++i) {
        const auto [c, count] = settings.warmup[i];
        bool zeroed = false;
        RegionFailure why{};
        const uint32_t here = std::min(count, policy::kMostSlots);
        const uint32_t capacity =
            std::max({here, policy::first_capacity(object_size(c), settings.budget_bytes)});
        set_up_class(block, c, capacity);
        ClassRecord& record = block.records[c];
        void** const bottom = block.slots + record.floor + 1;
        const uint32_t taken = depots[c].take(bottom, here, &zeroed, &why);
        for (uint32_t k = 0; k < taken; ++k) {
            for (size_t at = 0; at < object_size(c); at += kOsPageSize) {
                static_cast<volatile char*>(bottom[k])[at] = 0;
            }
        }
        record.refilled += taken;
        ++record.refills;
        word::store(block.cache->words[c], word::load(block.cache->words[c]) + taken);
    }
}

/// The calling thread's block; set up on first use, null when the thread is to do without.
ThreadBlock* own_block() {
    ThreadCache& cache = thread_cache;
    if (cache.block == nullptr && !settings.uncached && !cache.ended && threads::attach()) {
        LockGuard guard(cache.block->lock);
        warm_up(*cache.block);
    }
    return cache.block;
}

}  // namespace

void set_up_thread_caches(const CacheSettings& chosen) { settings = chosen; }

void* take_slow(ClassIndex c, bool* zeroed, RegionFailure* why) {
    *zeroed = false;
    if (void* object = take_hit(thread_cache, c)) {
        return object;
    }
    upkeep::tick_if_due();
    ThreadBlock* block = own_block();
    if (block == nullptr) {
        return take_uncached(c, zeroed, why);
    }
    LockGuard guard(block->lock);
    block->settle_limbo(c);
    if (block->level(c) != 0) {
        return take_with_look(*block, c);
    }
    return refill(*block, c, zeroed, why);
}

bool put_back_slow(void* p, ClassIndex c, Operation operation) {
    upkeep::tick_if_due();
    ThreadCache& cache = thread_cache;
    if (cache.block == nullptr && cache.uncached_frees < kFreesBeforeCache) {
        ++cache.uncached_frees;
        return put_back_uncached(p, c, operation);
    }
    ThreadBlock* block = own_block();
    if (block == nullptr) {
        return put_back_uncached(p, c, operation);
    }
    put_back_cached(*block, p, c);
    return true;
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
