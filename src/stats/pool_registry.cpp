// SPDX-License-Identifier: MIT
//
// The list of pools, and the totals of destroyed ones.
#include "stats/pool_registry.h"

#include "stats/hold_times.h"
#include "sync/lock.h"

#include <algorithm>
#include <atomic>
#include <cstring>

namespace hotlane {

/// Acquire: each load comes before the loads after it. Pairs with begin_change(), whose store comes before
/// the releasing stores of the changed words, and with end_change(). In a forked child, a change of a lost
/// thread may stay under way for ever, so the attempts are limited.
Pool::Counts Pool::counts() const {
    if (stack != nullptr) {
        // operations = gets + puts, and gets - puts are handed out.
        const TaggedStack::State now = stack->state();
        const uint64_t total = load_relaxed(gets_before) + (now.operations + max_capacity - now.free) / 2;
        return {.gets = total, .fresh = std::min(total, peak())};
    }
    constexpr int kMostAttempts = 1000;
    Counts found{};
    for (int attempt = 0; attempt != kMostAttempts; ++attempt) {
        const uint32_t before = load_acquire(changes);
        found.fresh = load_acquire(fresh);
        found.gets = load_acquire(gets_at_zero);
        found.gets -= load_acquire(countdown);
        if (before % 2 == 0 && load_relaxed(changes) == before) {
            break;
        }
    }
    found.fresh = std::min(found.fresh, found.gets);
    return found;
}

uint64_t Pool::in_use() const {
    if (stack != nullptr) {
        return max_capacity - stack->state().free;
    }
    const auto out = static_cast<uint64_t>(full - load_relaxed(top));
    return ring == nullptr ? out : out - std::min(out, ring->size());
}

uint64_t Pool::peak_since_reset() const {
    const uint64_t now = std::max(in_use(), load_relaxed(peak_floor));
    return std::max(now, stack != nullptr ? max_capacity - load_relaxed(least_free)
                                          : static_cast<uint64_t>(full - load_relaxed(low)));
}

void copy_name(char* out, size_t capacity, const char* name) {
    // Control characters have no place in a report.
    std::transform(name, name + strnlen(name, capacity - 1), out,
                   [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f ? '?' : c; });
}

namespace pools {

namespace {

constinit Lock lock{LockRank::pools};
constinit Pool* first = nullptr;
constinit size_t name_count = 0;
/// The totals of the destroyed pools of each name. Pools that exist are not included.
constinit PoolStats gone[kMaxPoolNames];
/// The sampled holds of all pools of each name. Needs no lock.
constinit HoldTimes holds[kMaxPoolNames];
/// Objects of the pools that exist.
constinit uint64_t capacities[kMaxPoolNames];

/// Finds the name, or adds it.
size_t index_of(const char* wanted) {
    char name[PoolStats::kNameCapacity] = {};
    copy_name(name, sizeof name, wanted);
    for (size_t i = 0; i < name_count; ++i) {
        if (strcmp(gone[i].name, name) == 0) {
            return i;
        }
    }
    if (name_count == kMaxPoolNames) {
        return kMaxPoolNames - 1;
    }
    strcpy(gone[name_count].name, name_count == kMaxPoolNames - 1 ? "others" : name);
    return name_count++;
}

void change_capacity(size_t name_index, uint64_t change) {
    capacities[name_index] += change;
    PoolStats& stats = gone[name_index];
    stats.peak_capacity = std::max(stats.peak_capacity, capacities[name_index]);
}

void add(PoolStats& stats, const Pool& pool) {
    // The owner may get and put between these two loads. In this order, puts may be too low by those operations,
    // but a put is never counted before its get.
    const Pool::Counts counts = pool.counts();
    const uint64_t in_use = pool.in_use();
    const size_t objects_bytes = pool.capacity * (pool.object_size + load_relaxed(pool.owned_each));
    stats.object_size = pool.object_size + load_relaxed(pool.owned_each);
    ++stats.pools;
    stats.capacity += pool.capacity;
    stats.in_use += in_use;
    stats.peak += pool.peak();
    stats.peak_since_reset += pool.peak_since_reset();
    stats.gets += counts.gets;
    stats.puts += counts.gets - std::min(counts.gets, in_use);
    stats.exhausted += load_relaxed(pool.exhausted);
    stats.fallbacks += load_relaxed(pool.fallbacks);
    stats.reuses += counts.gets - counts.fresh;
    stats.reused_bytes += (counts.gets - counts.fresh) * stats.object_size;
    stats.growths += load_relaxed(pool.growths);
    stats.demand = std::max({stats.demand, pool.peak(), load_relaxed(pool.demand)});
    stats.bytes += objects_bytes + load_relaxed(pool.owned_bytes);
    stats.peak_bytes += objects_bytes + load_relaxed(pool.peak_owned_bytes);
}

/// Adds what a destroyed pool leaves under its name.
void add_gone(PoolStats& stats, const PoolStats& of_pool) {
    stats.object_size = of_pool.object_size;
    stats.peak = std::max(stats.peak, of_pool.peak);
    stats.peak_since_reset = std::max(stats.peak_since_reset, of_pool.peak_since_reset);
    stats.gets += of_pool.gets;
    stats.puts += of_pool.puts;
    stats.exhausted += of_pool.exhausted;
    stats.fallbacks += of_pool.fallbacks;
    stats.reuses += of_pool.reuses;
    stats.reused_bytes += of_pool.reused_bytes;
    stats.growths += of_pool.growths;
    stats.demand = std::max(stats.demand, of_pool.demand);
    stats.peak_bytes = std::max(stats.peak_bytes, of_pool.peak_bytes);
}

/// How many objects are handed out by what `top` and `low` say of a pool of one thread or a ring.
uint64_t above(const Pool& pool, void** place) { return static_cast<uint64_t>(pool.full - place); }

/// Ends a window of a pool that grew: returns how many objects it needed, and lets its next get take the slow
/// path. If the owner of a pool of one thread gets at the same time, its new peak may be overwritten; that peak
/// is then missing in this window. It only decides how much memory is kept.
uint64_t needed_in_window(Pool& pool) {
    const uint64_t in_use = pool.in_use();
    if (pool.stack != nullptr) {
        const uint64_t least =
            __atomic_exchange_n(&pool.least_free, uint64_t{pool.max_capacity}, __ATOMIC_RELAXED);
        const uint64_t most = std::max(in_use, pool.max_capacity - least);
        store_relaxed(pool.peak_floor, std::max(load_relaxed(pool.peak_floor), most));
        return most;
    }
    void** const low = load_relaxed(pool.low);
    store_relaxed(pool.peak_floor, pool.peak_since_reset());
    store_relaxed(pool.low, pool.full);
    return low == pool.full ? in_use : above(pool, low);
}

constinit std::atomic<size_t> charged{0};
constinit std::atomic<size_t> limit{SIZE_MAX};
/// Whether any pool has grown since the start.
constinit std::atomic<bool> has_grown{false};

}  // namespace

void enter(Pool& pool, const char* name) {
    LockGuard guard(lock);
    pool.name_index = index_of(name == nullptr || name[0] == '\0' ? "unnamed" : name);
    pool.previous = nullptr;
    pool.next = first;
    if (first != nullptr) {
        first->previous = &pool;
    }
    first = &pool;
    change_capacity(pool.name_index, pool.capacity);
}

void leave(Pool& pool) {
    LockGuard guard(lock);
    (pool.previous != nullptr ? pool.previous->next : first) = pool.next;
    if (pool.next != nullptr) {
        pool.next->previous = pool.previous;
    }
    PoolStats own;
    add(own, pool);
    add_gone(gone[pool.name_index], own);
    change_capacity(pool.name_index, -own.capacity);
}

void add_hold(const Pool& pool, uint64_t ns) { holds[pool.name_index].add(ns); }

const char* name_of(const Pool& pool) { return gone[pool.name_index].name; }

void add_to(Snapshot& snapshot) {
    LockGuard guard(lock);
    snapshot.pool_count = name_count;
    for (size_t i = 0; i < name_count; ++i) {
        snapshot.pools[i] = gone[i];
        snapshot.pools[i].peak = 0;
        snapshot.pools[i].peak_since_reset = 0;
        snapshot.pools[i].peak_bytes = 0;
        holds[i].copy_to(snapshot.pools[i]);
    }
    for (const Pool* pool = first; pool != nullptr; pool = pool->next) {
        add(snapshot.pools[pool->name_index], *pool);
    }
    for (size_t i = 0; i < name_count; ++i) {
        PoolStats& stats = snapshot.pools[i];
        stats.peak = std::max(stats.peak, gone[i].peak);
        stats.peak_since_reset = std::max(stats.peak_since_reset, gone[i].peak_since_reset);
        stats.peak_bytes = std::max(stats.peak_bytes, gone[i].peak_bytes);
    }
}

// The owner may get and put at the same time. If it ends with low above top, the next get takes the slow
// path, which corrects low. If this store overwrites a new peak of the owner, that peak was before the reset.
void reset_peaks() {
    LockGuard guard(lock);
    for (PoolStats& stats : gone) {
        stats.peak_since_reset = 0;
    }
    for (Pool* pool = first; pool != nullptr; pool = pool->next) {
        pool->peak_before_reset = pool->peak();
        store_relaxed(pool->peak_floor, 0);
        if (pool->stack != nullptr) {
            store_relaxed(pool->least_free, pool->max_capacity - pool->in_use());
        } else {
            store_relaxed(pool->low, pool->full - pool->in_use());
        }
    }
}

void resize(Pool& pool, ptrdiff_t objects) {
    LockGuard guard(lock);
    const uint64_t peak = pool.peak_since_reset();
    store_relaxed(pool.capacity, pool.capacity + static_cast<size_t>(objects));
    pool.full += objects;
    store_relaxed(pool.top, pool.top + objects);
    store_relaxed(pool.peak_floor, peak);
    store_relaxed(pool.low, pool.top);
    change_capacity(pool.name_index, static_cast<uint64_t>(objects));
}

RegistryGuard::RegistryGuard() { lock.lock(); }
RegistryGuard::~RegistryGuard() { lock.unlock(); }

void set_shared_capacity(Pool& pool, size_t capacity) {
    change_capacity(pool.name_index, capacity - pool.capacity);
    store_relaxed(pool.capacity, capacity);
}

void note_growth() { has_grown.store(true, std::memory_order_relaxed); }

HOTLANE_IN_EVERY_PROCESS void begin_window() {
    if (!has_grown.load(std::memory_order_relaxed)) {
        return;
    }
    LockGuard guard(lock);
    for (Pool* pool = first; pool != nullptr; pool = pool->next) {
        if (pool->chunks == nullptr || pool->capacity == pool->first_capacity) {
            continue;
        }
        store_relaxed(pool->wanted_capacity, UINT64_MAX);  // a get that comes now gives nothing back
        store_relaxed(pool->trim_due, true);
        store_relaxed(pool->wanted_capacity, needed_in_window(*pool));
    }
}

bool charge(size_t bytes) {
    size_t before = charged.load(std::memory_order_relaxed);
    do {
        if (bytes >
            limit.load(std::memory_order_relaxed) - std::min(before, limit.load(std::memory_order_relaxed))) {
            return false;
        }
    } while (!charged.compare_exchange_weak(before, before + bytes, std::memory_order_relaxed));
    return true;
}

void discharge(size_t bytes) { charged.fetch_sub(bytes, std::memory_order_relaxed); }

void set_limit(size_t bytes) { limit.store(bytes == 0 ? SIZE_MAX : bytes, std::memory_order_relaxed); }

void lock_for_fork() { lock.lock(); }
void unlock_after_fork() { lock.unlock(); }

}  // namespace pools

}  // namespace hotlane
