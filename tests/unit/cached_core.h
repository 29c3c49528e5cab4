// SPDX-License-Identifier: MIT
//
// The thread caches with the depots and the region, but without options and the fallback. Requests and frees
// are made as the exported functions make them.
#pragma once

#include "fake_os.h"
#include "fresh_core.h"
#include "maintenance/maintenance.h"
#include "thread_cache/reclaim.h"
#include "thread_cache/thread_block.h"
#include "thread_cache/thread_registry.h"

#include <gtest/gtest.h>

namespace hotlane {

inline constexpr uint64_t kTestPurgeDelayNs = 1'000'000'000;

/// Restores the state before the first request, with a stopped clock.
inline void fresh_caches(const CacheSettings& settings = {}, size_t limit_bytes = 0,
                         const ClassTable& classes = {}) {
    thread_registry::set_up();
    thread_registry::detach();
    fake_os::reset();
    fresh_depots(classes, 4 * GiB, limit_bytes);
    set_up_thread_caches(settings);
    fake_os::stop_clock();
    maintenance::set_up(kTestPurgeDelayNs, {});
    set_on_error(OnError::abort);
}

inline void* get_slow(size_t n) {
    bool zeroed = false;
    RegionFailure why{};
    return allocate_from_cache(size_classes.class_of(n), &zeroed, &why);
}
inline void put_slow(void* p) {
    const auto c = region_view.class_entry(region.page_containing(p).value) / SizeClasses::kLaneBytes;
    put_back_slow(p, c, "free");
}

/// Not inlined, as malloc is not: the address of a thread-local variable must not be kept beyond the end of a
/// thread.
[[gnu::noinline]] inline void* get(size_t n) { return allocate_fast<get_slow>(n); }
[[gnu::noinline]] inline void put(void* p) { release_fast<put_slow>(p); }

inline Snapshot counts() {
    Snapshot snapshot;
    snapshot.class_count = size_classes.count;
    thread_registry::add_to(snapshot);
    return snapshot;
}

/// Checks what must hold for every lane of a cache between two operations of its thread.
inline void check_lanes(const ThreadBlock& block) {
    size_t bytes = 0;
    for (ClassIndex c = 1; c < size_classes.count; ++c) {
        if (!block.is_set_up(c)) {
            ASSERT_EQ(block.top(c), nullptr);
            ASSERT_LE(static_cast<int64_t>(block.lane(c).countdown), 0) << "the fast path would use top";
            continue;
        }
        void** const floor = block.window(c) + block.capacity(c);
        ASSERT_EQ(address_of(block.window(c)) % kWindowBytes, 0U);
        ASSERT_GE(block.capacity(c), 1U);
        ASSERT_LE(block.capacity(c), tuning::kMostSlots);
        ASSERT_LE(block.level(c), block.capacity(c));
        ASSERT_EQ(block.top(c), floor - block.level(c));
        ASSERT_EQ(*floor, nullptr);
        ASSERT_TRUE(block.level(c) == 0 || block.record(c).pending_reclaim != nullptr ||
                    *block.top(c) != nullptr);
        bytes += block.lane_bytes(c);
    }
    ASSERT_EQ(block.lanes_bytes, bytes);
}

}  // namespace hotlane
