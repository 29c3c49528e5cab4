// SPDX-License-Identifier: MIT
//
// Tests maintenance on a clock that is moved by hand: when memory is returned, and that it is not returned
// too early.
#include "cached_core.h"

#include <algorithm>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

namespace {

using namespace hotlane;

class MaintenanceTest : public testing::Test {
  protected:
    void SetUp() override { fresh_caches(); }
    void TearDown() override {
        thread_registry::detach();
        fake_os::reset();
    }
    /// Lets time pass, with a maintenance pass in every interval, as a background thread would do.
    static void pass(uint64_t ns) {
        for (uint64_t left = ns; left != 0;) {
            const uint64_t step = std::min(left, maintenance::pause_ns());
            fake_os::advance_clock(step);
            maintenance::poll();
            left -= step;
        }
    }
    static size_t purged_bytes() {
        size_t bytes = 0;
        for (const fake_os::PurgedRun& run : fake_os::purged_runs()) {
            bytes += run.bytes;
        }
        return bytes;
    }
    /// Moves the clock to the start of a maintenance interval, and polls.
    static void pass_to_tick() {
        fake_os::advance_clock(maintenance::interval_ns() - os::coarse_ns() % maintenance::interval_ns());
        maintenance::poll();
    }
    static void free_much();
    static size_t resident_bytes() {
        const RegionStats stats = region.stats();
        return stats.in_use_bytes + stats.free_dirty_bytes;
    }
};

TEST_F(MaintenanceTest, TheIntervalDividesTheDelay) {
    EXPECT_EQ(maintenance::interval_ns() * tuning::kTicksPerPurgeDelay, kTestPurgeDelayNs);
}

TEST_F(MaintenanceTest, ATickComesOncePerInterval) {
    static int ticks = 0;
    ticks = 0;
    maintenance::set_up(kTestPurgeDelayNs, {.pass = [](uint64_t) { ++ticks; }});
    pass(kTestPurgeDelayNs);
    pass_to_tick();
    const int before = ticks;
    EXPECT_GT(before, 0);
    maintenance::poll();
    EXPECT_EQ(ticks, before);
    fake_os::advance_clock(maintenance::interval_ns() - 1);
    maintenance::poll();
    EXPECT_EQ(ticks, before);
    fake_os::advance_clock(1);
    maintenance::poll();
    EXPECT_EQ(ticks, before + 1);
}

TEST_F(MaintenanceTest, AThreadThatWasBusyLooksAtTheClockWithItsFirstRequestAfterATick) {
    static int ticks = 0;
    ticks = 0;
    maintenance::set_up(kTestPurgeDelayNs, {.pass = [](uint64_t) { ++ticks; }});
    const ClassIndex c = size_classes.class_of(64);
    for (int i = 0; i < 10'000; ++i) {
        put(get(64));
    }
    ASSERT_GT(thread_cache.lanes[c].countdown, 1U) << "the next requests must be ones that do not look";
    fake_os::advance_clock(maintenance::interval_ns());
    maintenance::poll();
    ASSERT_EQ(ticks, 1);
    fake_os::advance_clock(maintenance::interval_ns());
    put(get(64));
    EXPECT_EQ(ticks, 2);
}

TEST_F(MaintenanceTest, FreePagesGoAfterOneDelayAndNotBefore) {
    // The objects have a page of their own and are freed straight to their span, at every phase between two
    // passes.
    constexpr int kPhases = 10;
    for (int phase = 0; phase < kPhases; ++phase) {
        pass(4 * kTestPurgeDelayNs);
        pass_to_tick();
        const ClassIndex c = size_classes.class_of(kLargestSmall);
        bool zeroed = false;
        RegionFailure why{};
        void* page = nullptr;
        ASSERT_EQ(depots[c].refill(&page, 1, true, &zeroed, &why), 1U);
        const uint64_t into_interval = maintenance::interval_ns() * static_cast<uint64_t>(phase) / kPhases;
        fake_os::advance_clock(into_interval);
        ASSERT_TRUE(depots[c].put_back_checked(page, "free"));
        depots[c].reap(true);
        const size_t before = purged_bytes();
        uint64_t waited = 0;
        fake_os::advance_clock(maintenance::interval_ns() - into_interval);
        waited = maintenance::interval_ns() - into_interval;
        maintenance::poll();
        while (purged_bytes() == before) {
            ASSERT_LT(waited, 2 * kTestPurgeDelayNs) << "phase " << phase;
            pass(maintenance::interval_ns());
            waited += maintenance::interval_ns();
        }
        EXPECT_GE(waited, kTestPurgeDelayNs) << "too early in phase " << phase;
        EXPECT_LE(waited, kTestPurgeDelayNs + kTestPurgeDelayNs / 8 + 1) << "phase " << phase;
    }
}

TEST_F(MaintenanceTest, EverythingFreedIsBackAfterTwoDelaysThoughItsThreadSleeps) {
    std::vector<void*> objects;
    for (size_t n = 16; n <= kLargestSmall; n = n * 5 / 4 + 16) {
        for (size_t bytes = 0; bytes < 1 * MiB; bytes += n) {
            objects.push_back(get(n));
            ASSERT_NE(objects.back(), nullptr);
        }
    }
    const size_t peak = resident_bytes();
    for (void* object : objects) {
        put(object);
    }
    pass(2 * kTestPurgeDelayNs);
    EXPECT_LE(resident_bytes() * 20, peak);
}

TEST_F(MaintenanceTest, PurgingEverythingNeedsNoDelay) {
    std::vector<void*> objects;
    for (int i = 0; i < 5'000; ++i) {
        objects.push_back(get(1024));
    }
    for (void* object : objects) {
        put(object);
    }
    EXPECT_GE(maintenance::purge_everything(), 5'000U * KiB);
    EXPECT_EQ(resident_bytes(), 0U);
}

TEST_F(MaintenanceTest, ASqueezeIsDueOnceInSoMuchGrowthAndEmptiesRingsAndTheThreadsOwnCache) {
    const ClassIndex small = size_classes.class_of(1024);
    const auto fill_and_free = [] {
        std::vector<void*> objects;
        for (int i = 0; i < 400; ++i) {
            objects.push_back(get(1024));
        }
        std::for_each(objects.begin(), objects.end(), put);
    };
    const auto grow = [](uint32_t pages) {
        const ClassIndex c = size_classes.class_of(kLargestSmall);
        bool zeroed = false;
        RegionFailure why{};
        void* page = nullptr;
        for (uint32_t i = 0; i < pages; ++i) {
            EXPECT_EQ(depots[c].refill(&page, 1, true, &zeroed, &why), 1U);
        }
    };
    const auto is_squeezed = [small] {
        return depots[small].stats().spans == 0 && thread_cache.block->level(small) == 0;
    };
    fill_and_free();
    EXPECT_GT(depots[small].stats().objects, 0U);
    EXPECT_GT(thread_cache.block->level(small), 0U);
    maintenance::flush_before_growth_if_due();
    EXPECT_FALSE(is_squeezed()) << "not grown enough";
    const auto used_pages = [] { return region.stats().in_use_bytes / kRegionPageSize; };
    while (!tuning::flush_before_growth(used_pages(), used_pages())) {
        grow(1);
    }
    maintenance::flush_before_growth_if_due();
    EXPECT_TRUE(is_squeezed());
    fill_and_free();
    maintenance::flush_before_growth_if_due();
    EXPECT_FALSE(is_squeezed()) << "not grown since";
}

TEST_F(MaintenanceTest, ARequestTakesWhatASqueezeFreesBeforeTheRegionGrows) {
    const ClassIndex small = size_classes.class_of(1024);
    std::vector<void*> objects;
    for (int i = 0; i < 200; ++i) {
        objects.push_back(get(1024));
    }
    std::for_each(objects.begin(), objects.end(), put);
    const uint64_t pinned = depots[small].stats().spans;
    ASSERT_GT(pinned, 2U);
    while (depots[small].stats().spans != 0) {
        ASSERT_NE(get(kLargestSmall), nullptr);
        ASSERT_LT(region.stats().in_use_bytes, 64 * MiB) << "it never squeezes";
    }
    const size_t resident = resident_bytes();
    while (region.stats().free_dirty_bytes != 0) {
        ASSERT_NE(get(kRegionPageSize), nullptr);
    }
    constexpr size_t kRefill = 8 * kRegionPageSize;  // the last one may need more pages than there were
    EXPECT_LT(resident_bytes(), resident + kRefill) << "grown while there were free pages";
}

TEST_F(MaintenanceTest, ADayOfWorkAndRestStaysWithinBounds) {
    // 24 hours in steps of a minute: bursts of a size that changes every hour, lulls, and a night. Only the
    // clock moves.
    constexpr int kMinutes = 24 * 60;
    constexpr size_t kBurstBytes = 4 * MiB;
    std::mt19937 random(24);
    std::vector<void*> live;
    size_t live_bytes = 0;
    size_t peak = 0;
    for (int minute = 0; minute < kMinutes; ++minute) {
        const bool night = minute > 20 * 60;
        const size_t n = 24 + static_cast<size_t>(minute / 60) * 1'400;
        const size_t size = size_classes[size_classes.class_of(n)].object_size;
        for (size_t bytes = 0; !night && bytes < kBurstBytes; bytes += size) {
            void* p = get(n);
            ASSERT_NE(p, nullptr);
            memset(p, 1, 8);
            live.push_back(p);
            live_bytes += size;
        }
        // Half of the live objects are freed, younger and older ones alike.
        std::shuffle(live.begin(), live.end(), random);
        for (size_t keep = night ? 0 : live.size() / 2; live.size() > keep;) {
            const auto c =
                region_view.class_entry(region_view.page_of(live.back())) / SizeClasses::kLaneBytes;
            live_bytes -= size_classes[static_cast<ClassIndex>(c)].object_size;
            put(live.back());
            live.pop_back();
        }
        for (int second = 0; second < 60; second += 10) {
            pass(kTestPurgeDelayNs);
            fake_os::advance_clock(9 * kTestPurgeDelayNs);
        }
        peak = std::max(peak, resident_bytes());
        if (minute % 60 == 59) {
            check_lanes(*thread_cache.block);
        }
    }
    EXPECT_EQ(live_bytes, 0U);
    EXPECT_LE(peak, 8 * kBurstBytes);
    pass(2 * kTestPurgeDelayNs);
    EXPECT_LE(resident_bytes(), 1 * MiB);
    EXPECT_LE(region.stats().committed_bytes, 64 * MiB);
}

/// Counts the purges of everything after refusals.
TEST_F(MaintenanceTest, WhatAPassLeavesFollowsSoonAndNotAtOnce) {
    static int parts = 0;
    static bool has_more = false;
    parts = 0;
    has_more = true;
    maintenance::set_cache_hooks({.reclaim = [](bool) {
        ++parts;
        return has_more;
    }});
    EXPECT_EQ(maintenance::pause_ns(), maintenance::interval_ns());
    pass_to_tick();
    pass_to_tick();  // the first pass comes one whole interval after the start
    ASSERT_EQ(parts, 1);
    const uint64_t pause = maintenance::pause_ns();
    EXPECT_EQ(pause, tuning::pause_before_rest(maintenance::interval_ns()));
    maintenance::poll();
    EXPECT_EQ(parts, 1) << "two parts at once are one long part";
    fake_os::advance_clock(pause);
    maintenance::poll();
    EXPECT_EQ(parts, 2);
    has_more = false;
    fake_os::advance_clock(pause);
    maintenance::poll();
    EXPECT_EQ(parts, 3);
    EXPECT_EQ(maintenance::pause_ns(), maintenance::interval_ns());
    fake_os::advance_clock(pause);
    maintenance::poll();
    EXPECT_EQ(parts, 3) << "until the next pass";
    pass_to_tick();
    EXPECT_EQ(parts, 4);
}

/// Frees 64 MiB and waits until a pass may purge them.
void MaintenanceTest::free_much() {
    std::vector<void*> objects(64 * MiB / kLargestSmall);
    std::generate(objects.begin(), objects.end(), [] { return get(kLargestSmall); });
    pass_to_tick();
    pass_to_tick();
    std::for_each(objects.begin(), objects.end(), put);
    flush_this_thread();
    for (ClassIndex c = 1; c < size_classes.count; ++c) {
        depots[c].reap(true);
    }
    for (int ticks = 0; ticks != tuning::kTicksPerPurgeDelay; ++ticks) {
        pass_to_tick();
    }
}

TEST_F(MaintenanceTest, APartOfAPassPurgesABoundedAmountAndTheRestFollows) {
    free_much();
    const size_t before_all = purged_bytes();
    int parts = 0;
    for (pass_to_tick();; fake_os::advance_clock(maintenance::pause_ns()), maintenance::poll()) {
        ++parts;
        EXPECT_LE(purged_bytes() - before_all, static_cast<size_t>(parts) * 8 * MiB);
        if (maintenance::pause_ns() == maintenance::interval_ns()) {
            break;
        }
    }
    EXPECT_GE(parts, 8);
    EXPECT_EQ(resident_bytes(), 0U);
}

TEST_F(MaintenanceTest, APartPurgesAsMuchMoreAsItIsLate) {
    free_much();
    const size_t before = purged_bytes();
    fake_os::advance_clock(2 * maintenance::interval_ns());
    maintenance::poll();
    EXPECT_EQ(resident_bytes(), 0U) << purged_bytes() - before;
}

TEST_F(MaintenanceTest, ThreadsWithFullCachesDoNotKeepFreePagesFromThePurge) {
    maintenance::set_cache_hooks(
        {.reclaim = [](bool) { return true; }, .flush_this_thread = flush_this_thread});
    free_much();
    const size_t before = purged_bytes();
    pass_to_tick();
    EXPECT_EQ(purged_bytes(), before) << "one long job in a part is enough";
    fake_os::advance_clock(maintenance::pause_ns());
    maintenance::poll();
    EXPECT_GT(purged_bytes(), before);
}

class RefusalTest : public MaintenanceTest {
  protected:
    void SetUp() override {
        MaintenanceTest::SetUp();
        purges = 0;
        maintenance::set_up(kTestPurgeDelayNs, {.purge = [] { ++purges; }});
        maintenance::purge_after_refusal();  // the first one always purges
        purges = 0;
    }
    static int purges;
};
int RefusalTest::purges = 0;

TEST_F(RefusalTest, WithoutASurplusNothingIsPurged) {
    for (int i = 0; i < 1'000; ++i) {
        EXPECT_FALSE(maintenance::purge_after_refusal());
    }
    EXPECT_EQ(purges, 0);
}

TEST_F(RefusalTest, AnIntervalLaterItIsTriedOnceMore) {
    fake_os::advance_clock(maintenance::interval_ns());
    EXPECT_TRUE(maintenance::purge_after_refusal());
    EXPECT_FALSE(maintenance::purge_after_refusal());
    EXPECT_EQ(purges, 1);
}

TEST_F(RefusalTest, OneFreeThatNoSlowPathSawCounts) {
    void* const objects[] = {get(64), get(64)};
    put(objects[0]);
    EXPECT_TRUE(maintenance::purge_after_refusal());
    void* const again = get(64);  // a refill frees nothing
    EXPECT_FALSE(maintenance::purge_after_refusal());
    put(again);
    EXPECT_TRUE(maintenance::purge_after_refusal());
    EXPECT_FALSE(maintenance::purge_after_refusal());
    put(objects[1]);
    maintenance::purge_after_refusal();
}

TEST_F(RefusalTest, WhatAnotherThreadGaveToADepotCounts) {
    std::vector<void*> objects(1'000);
    for (void*& object : objects) {
        object = get(1'000);
    }
    maintenance::purge_after_refusal();
    EXPECT_FALSE(maintenance::purge_after_refusal());
    std::thread([&] {
        for (void* object : objects) {
            put(object);
        }
        thread_registry::detach();
    }).join();
    const size_t before = resident_bytes();
    EXPECT_TRUE(maintenance::purge_after_refusal());
    EXPECT_LT(resident_bytes(), before);
    EXPECT_FALSE(maintenance::purge_after_refusal());
}

TEST_F(RefusalTest, WhatComesBackToATierBesideCounts) {
    maintenance::note_surplus();
    EXPECT_TRUE(maintenance::purge_after_refusal());
    EXPECT_FALSE(maintenance::purge_after_refusal());
}

}  // namespace
