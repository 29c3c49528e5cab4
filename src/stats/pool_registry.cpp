// SPDX-License-Identifier: MIT
//
// The list of pools, and the totals of destroyed ones.
#include "stats/pool_registry.h"

#include "stats/hold_times.h"
#include "sync/lock.h"

#include <algorithm>
#include <cstring>

namespace hotlane {

/// Acquire: each load comes before the loads after it. Pairs with begin_change(), whose store comes before
/// the releasing stores of the changed words, and with end_change(). In a forked child, a change of a lost
/// thread may stay under way for ever, so the attempts are limited.
Pool::Counts Pool::counts() const {
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
    // Control characters have no place in a report.
    std::transform(wanted, wanted + strnlen(wanted, sizeof name - 1), name,
                   [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f ? '?' : c; });
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
    const size_t objects_bytes = pool.bytes + pool.capacity * load_relaxed(pool.owned_each);
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

void note_growth(Pool& pool, size_t more) {
    LockGuard guard(lock);
    pool.capacity += more;
    pool.bytes += more * pool.object_size;
    add_relaxed(pool.growths, 1);
    change_capacity(pool.name_index, more);
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
        store_relaxed(pool->low, pool->full - pool->in_use());
    }
}

void lock_for_fork() { lock.lock(); }
void unlock_after_fork() { lock.unlock(); }

}  // namespace pools

}  // namespace hotlane
