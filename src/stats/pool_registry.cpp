// SPDX-License-Identifier: MIT
//
// The list of pools, and the totals of destroyed ones.
#include "stats/pool_registry.h"

#include "sync/lock.h"

#include <algorithm>
#include <cstring>

namespace hotlane::pools {

namespace {

constinit Lock lock{LockRank::pools};
constinit Pool* first = nullptr;
constinit size_t name_count = 0;
/// The totals of the destroyed pools of each name. Pools that exist are not included.
constinit PoolStats gone[kMaxPoolNames];

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

void add(PoolStats& stats, const Pool& pool) {
    // The owner may get and put between these two loads. In this order, puts may be too low by those operations,
    // but a put is never counted before its get.
    const uint64_t gets = load_relaxed(pool.gets);
    const uint64_t in_use = pool.in_use();
    stats.object_size = pool.object_size;
    ++stats.pools;
    stats.capacity += pool.capacity;
    stats.in_use += in_use;
    stats.peak += pool.peak();
    stats.peak_since_reset += pool.peak_since_reset();
    stats.gets += gets;
    stats.puts += gets - std::min(gets, in_use);
    stats.exhausted += load_relaxed(pool.exhausted);
    stats.fallbacks += load_relaxed(pool.fallbacks);
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
}

void leave(Pool& pool) {
    LockGuard guard(lock);
    (pool.previous != nullptr ? pool.previous->next : first) = pool.next;
    if (pool.next != nullptr) {
        pool.next->previous = pool.previous;
    }
    PoolStats& stats = gone[pool.name_index];
    PoolStats own;
    add(own, pool);
    stats.object_size = own.object_size;
    stats.peak = std::max(stats.peak, own.peak);
    stats.peak_since_reset = std::max(stats.peak_since_reset, own.peak_since_reset);
    stats.gets += own.gets;
    stats.puts += own.puts;
    stats.exhausted += own.exhausted;
    stats.fallbacks += own.fallbacks;
}

const char* name_of(const Pool& pool) { return gone[pool.name_index].name; }

void add_to(Snapshot& snapshot) {
    LockGuard guard(lock);
    snapshot.pool_count = name_count;
    for (size_t i = 0; i < name_count; ++i) {
        snapshot.pools[i] = gone[i];
        snapshot.pools[i].peak = 0;
        snapshot.pools[i].peak_since_reset = 0;
    }
    for (const Pool* pool = first; pool != nullptr; pool = pool->next) {
        add(snapshot.pools[pool->name_index], *pool);
    }
    for (size_t i = 0; i < name_count; ++i) {
        PoolStats& stats = snapshot.pools[i];
        stats.peak = std::max(stats.peak, gone[i].peak);
        stats.peak_since_reset = std::max(stats.peak_since_reset, gone[i].peak_since_reset);
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

}  // namespace hotlane::pools
