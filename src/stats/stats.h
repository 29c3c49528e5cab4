// SPDX-License-Identifier: MIT
//
// A snapshot: the values of every counter at one moment, as plain numbers.
#pragma once

#include "base/base.h"

#include <string_view>

namespace hotlane {

/// Why a request was served by the fallback allocator or a guard, or as a profile's sample.
enum class FallbackReason : uint8_t { large, alignment, limit, no_region, sampled, guarded, count };
inline constexpr size_t kFallbackReasons = static_cast<size_t>(FallbackReason::count);
inline constexpr const char* kFallbackReasonNames[kFallbackReasons] = {"large",     "alignment", "limit",
                                                                       "no_region", "sampled",   "guarded"};

/// One size class. hits + misses = allocations; allocations - frees = live.
struct ClassStats {
    size_t object_size = 0;      // bytes
    uint64_t hits = 0;           // requests served from the calling thread's cache
    uint64_t misses = 0;         // requests that had to refill first
    uint64_t frees = 0;          // objects freed
    uint64_t refills = 0;        // times a thread cache was filled from the depot or a span
    uint64_t flushes = 0;        // times a thread cache gave objects back
    uint64_t discards = 0;       // objects that a thread cache gave back
    uint64_t spans = 0;          // spans that exist now
    uint64_t depot_objects = 0;  // free objects held by the depot now
    uint64_t objects = 0;        // in use now: live, or in a thread cache
    uint64_t peak_objects = 0;   // most objects in use at once: live, or in a thread cache
    uint64_t fresh_bytes = 0;    // of objects whose memory had never been used when a cache got them
    uint64_t swing = 0;          // most objects that a thread's cache had to hold to keep what it gave back

    /// Bytes of the requests that got memory used before. Too low by the fresh objects that caches hold.
    uint64_t recycled_bytes() const {
        const uint64_t bytes = allocations() * object_size;
        return bytes > fresh_bytes ? bytes - fresh_bytes : 0;
    }
    uint64_t allocations() const { return hits + misses; }
    /// Modulo 2^64 while other threads are between updates of the two counts; never negative at rest.
    uint64_t live() const { return allocations() - frees; }
    /// Objects in the caches of threads. Off by the operations that are under way.
    uint64_t cached() const { return objects > live() ? objects - live() : 0; }
    bool used() const { return allocations() != 0 || frees != 0 || spans != 0; }
};

/// Adds every counter, but not the size. The sum of peaks is an upper bound of the common peak; of the swings
/// the largest counts.
ClassStats& operator+=(ClassStats& sum, const ClassStats& other);

/// part / whole in billionths, rounded down, so that only a part equal to the whole gives 1. Gives 1 if both
/// are 0.
uint64_t share_in_billionths(uint64_t part, uint64_t whole);

struct FallbackStats {
    uint64_t count = 0;
    uint64_t bytes = 0;
};

/// All bounded pools of one name, including destroyed ones.
struct PoolStats {
    static constexpr size_t kNameCapacity = 32;

    char name[kNameCapacity] = {};
    size_t object_size = 0;  // bytes; of the newest pool
    uint64_t pools = 0;      // that exist now
    uint64_t capacity = 0;   // objects, of pools that exist
    uint64_t in_use = 0;     // objects handed out, of pools that exist
    uint64_t peak = 0;       // most objects handed out at once; for several pools an upper bound
    uint64_t peak_since_reset = 0;
    uint64_t gets = 0;       // served from the pools' own objects
    uint64_t puts = 0;       // objects put back
    uint64_t exhausted = 0;  // requests that found no free object
    uint64_t fallbacks = 0;  // of those, the requests that the allocator served
    uint64_t reuses = 0;     // gets of an object that had been handed out before
    uint64_t reused_bytes = 0;
    uint64_t growths = 0;        // times that a pool got more objects
    uint64_t peak_capacity = 0;  // most objects of all pools of the name at once
    uint64_t demand =
        0;               // most objects wanted at once from one pool: handed out, or asked for when exhausted
    uint64_t bytes = 0;  // of pools that exist: their objects, and what these own
    uint64_t peak_bytes = 0;  // for several pools an upper bound
    // How long objects were handed out, of a sample of the gets. Longer than kLongHoldNs is a long hold.
    uint64_t hold_samples = 0;
    uint64_t hold_p50_ns = 0;
    uint64_t hold_p99_ns = 0;
    uint64_t hold_max_ns = 0;
    uint64_t long_holds = 0;
};
inline constexpr size_t kMaxPoolNames = 32;
inline constexpr uint64_t kLongHoldNs = 100'000'000;

/// All arenas of one name that are not part of a pool of arenas, including destroyed ones.
struct ArenaStats {
    static constexpr size_t kNameCapacity = 32;

    char name[kNameCapacity] = {};
    uint64_t arenas = 0;      // that exist now
    uint64_t created = 0;     // since the process started
    uint64_t bytes = 0;       // of the pages that they hold now
    uint64_t peak_bytes = 0;  // most of these at once
    uint64_t largest = 0;     // most bytes that one of them held
    uint64_t refused = 0;     // times one got no page: at its limit, or no memory
};
inline constexpr size_t kMaxArenaNames = 16;

/// All counters. Exact if no other thread is inside an operation; otherwise each number is exact by itself.
struct Snapshot {
    size_t class_count = 0;  // classes[1 .. class_count-1] are in use
    ClassStats classes[kMaxClasses];
    FallbackStats fallback_allocations[kFallbackReasons];
    uint64_t fallback_frees = 0;
    uint64_t wrong_sized_deletes = 0;
    uint64_t guarded_live = 0;
    uint64_t guarded_in_quarantine = 0;  // freed and still inaccessible
    uint64_t guard_reports = 0;          // mistakes found by guards
    size_t pool_count = 0;               // names
    PoolStats pools[kMaxPoolNames];
    size_t arena_count = 0;  // names
    ArenaStats arenas[kMaxArenaNames];

    uint64_t threads_live = 0;
    uint64_t threads_ended = 0;
    size_t region_reserved_bytes = 0;
    size_t region_committed_bytes = 0;
    size_t region_in_use_bytes = 0;      // pages that belong to spans
    size_t region_free_dirty_bytes = 0;  // free pages that still hold memory
    uint64_t purges = 0;
    size_t purged_bytes = 0;
    size_t metadata_bytes = 0;
    size_t fallback_bytes = 0;           // allocated by the fallback now
    size_t fallback_resident_bytes = 0;  // that it keeps resident, its metadata included
    size_t peak_rss_bytes = 0;
    uint64_t run_time_ns = 0;
    uint64_t finer_classes_after_ns =
        0;  // HOTLANE_SIZE_CLASSES=auto: when the classes changed; 0: they did not
    int process_id = 0;
    char program[64] = {};
    const char* labels = nullptr;  // of HOTLANE_LABELS (options/labels.h); null if not set

    std::string_view label_list() const { return labels == nullptr ? std::string_view{} : labels; }
    uint64_t hits() const;
    uint64_t misses() const;
    uint64_t frees() const;
    uint64_t allocations() const { return hits() + misses(); }
    uint64_t live_bytes() const;
    uint64_t fresh_bytes() const;
    uint64_t recycled_bytes() const;
    uint64_t fallback_count() const;
    uint64_t fallback_request_bytes() const;
    /// The share of small requests that were hits, in percent; 100 if there were none.
    double hit_rate_percent() const;
};

}  // namespace hotlane
