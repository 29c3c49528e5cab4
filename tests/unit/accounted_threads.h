// SPDX-License-Identifier: MIT
//
// Test threads whose objects and counts must all be accounted for at the end.
#pragma once

#include "cached_core.h"

#include <atomic>

namespace hotlane {

/// The first word of every object: its holder, or kFree. Atomic, because an object that is handed out twice
/// has two writers.
inline constexpr uint64_t kFree = 0xF4EE;
inline std::atomic<uint64_t>& stamp_of(void* p) { return *static_cast<std::atomic<uint64_t>*>(p); }

class AccountedThreads : public testing::Test {
  protected:
    void SetUp() override {
        fresh_caches();
        before = counts();
    }
    void TearDown() override {
        thread_registry::detach();
        fake_os::reset();
    }
    /// Expects that every object is back and every count is exact.
    void expect_all_accounted_for(uint64_t gets) {
        thread_registry::detach();
        const Snapshot now = counts();
        EXPECT_EQ(now.allocations() - before_gets(), gets);
        EXPECT_EQ(now.frees() - before_puts(), gets);
        for (ClassIndex c = 1; c < size_classes.count; ++c) {
            depots[c].reap(true);
            EXPECT_EQ(depots[c].stats().spans, 0U) << "objects of " << size_classes[c].object_size;
        }
        EXPECT_EQ(region.stats().in_use_bytes, 0U);
    }
    uint64_t before_gets() const { return before.allocations(); }
    uint64_t before_puts() const { return before.frees(); }

    Snapshot before;
};

}  // namespace hotlane
