// SPDX-License-Identifier: MIT
//
// The counts of arenas are atomic and need no lock. Names are added under the lock of the pools' names.
#include "stats/arena_registry.h"

#include "base/atomic_access.h"
#include "stats/pool_registry.h"

#include <algorithm>
#include <atomic>
#include <cstring>

namespace hotlane::arenas {

namespace {

struct Counts {
    char name[ArenaStats::kNameCapacity] = {};
    std::atomic<uint64_t> created;
    std::atomic<uint64_t> ended;
    std::atomic<uint64_t> bytes;
    std::atomic<uint64_t> peak_bytes;
    std::atomic<uint64_t> largest;
    std::atomic<uint64_t> refused;
};

/// The first one is of the arenas without a name. All zeros at first, so that no page is touched at start.
constinit Counts all[kMaxArenaNames];
constinit std::atomic<size_t> names{0};

/// Finds the name, or adds it.
size_t number_of(const char* wanted) {
    char name[ArenaStats::kNameCapacity] = {};
    copy_name(name, sizeof name, wanted);
    const pools::RegistryGuard guard;
    const size_t last = names.load(std::memory_order_relaxed);
    for (size_t i = 1; i <= last; ++i) {
        if (strcmp(all[i].name, name) == 0) {
            return i;
        }
    }
    if (last == kMaxArenaNames - 1) {
        return last;
    }
    strcpy(all[last + 1].name, last + 1 == kMaxArenaNames - 1 ? "others" : name);
    names.store(last + 1, std::memory_order_release);
    return last + 1;
}

}  // namespace

uint32_t begin(const char* name) {
    const size_t number = name == nullptr || name[0] == '\0' ? 0 : number_of(name);
    all[number].created.fetch_add(1, std::memory_order_relaxed);
    return static_cast<uint32_t>(number);
}

void change(uint32_t number, ptrdiff_t bytes, size_t held) {
    Counts& counts = all[number];
    const auto added = static_cast<uint64_t>(bytes);
    const uint64_t now = counts.bytes.fetch_add(added, std::memory_order_relaxed) + added;
    if (bytes > 0) {
        raise_relaxed(counts.peak_bytes, now);
        raise_relaxed(counts.largest, held);
    }
}

void refuse(uint32_t number) { all[number].refused.fetch_add(1, std::memory_order_relaxed); }

void end(uint32_t number, size_t bytes) {
    all[number].bytes.fetch_sub(bytes, std::memory_order_relaxed);
    all[number].ended.fetch_add(1, std::memory_order_relaxed);
}

void add_to(Snapshot& snapshot) {
    const size_t last = names.load(std::memory_order_acquire);
    snapshot.arena_count = 0;
    for (size_t i = 0; i <= last; ++i) {
        const Counts& counts = all[i];
        const uint64_t ended = counts.ended.load(std::memory_order_relaxed);
        const uint64_t created = counts.created.load(std::memory_order_relaxed);
        if (created == 0) {
            continue;  // no arena without a name
        }
        ArenaStats& stats = snapshot.arenas[snapshot.arena_count++];
        strcpy(stats.name, i == 0 ? "unnamed" : counts.name);
        stats.created = created;
        stats.arenas = created - std::min(created, ended);
        stats.bytes = counts.bytes.load(std::memory_order_relaxed);
        stats.peak_bytes = counts.peak_bytes.load(std::memory_order_relaxed);
        stats.largest = counts.largest.load(std::memory_order_relaxed);
        stats.refused = counts.refused.load(std::memory_order_relaxed);
    }
}

}  // namespace hotlane::arenas
