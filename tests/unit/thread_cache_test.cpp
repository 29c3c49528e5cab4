// SPDX-License-Identifier: MIT
//
// Tests the thread cache from its owner's side: all counts are exact, and every lane is valid after every
// operation.
#include "accounted_threads.h"
#include "random_classes.h"
#include "thread_cache/prefill.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <random>
#include <thread>

namespace {

using namespace hotlane;

class ThreadCacheTest : public AccountedThreads {
  protected:
    ClassStats since(ClassIndex c) const {
        ClassStats stats = counts().classes[c];
        stats.hits -= before.classes[c].hits;
        stats.misses -= before.classes[c].misses;
        stats.frees -= before.classes[c].frees;
        stats.refills -= before.classes[c].refills;
        stats.flushes -= before.classes[c].flushes;
        return stats;
    }
};

/// How the clock moves during a random sequence.
enum class Clock : uint8_t { still, looks, ticks };

class ExactCounts : public ThreadCacheTest,
                    public testing::WithParamInterface<std::tuple<Clock, unsigned>> {};

INSTANTIATE_TEST_SUITE_P(Sequences, ExactCounts,
                         testing::Combine(testing::Values(Clock::still, Clock::looks, Clock::ticks),
                                          testing::Range(1U, 9U)));

TEST_P(ExactCounts, OfHitsMissesAndPutsWithLanesInOrder) {
    const auto [clock, seed] = GetParam();
    std::mt19937 random(seed);
    const bool odd_classes = seed > 6;
    if (odd_classes) {
        fresh_caches({}, 0, random_classes(seed));
    }
    // Sizes that the fast path takes and sizes that it does not. Half of the sequences have few classes, so
    // that lanes become full.
    std::vector<size_t> sizes = seed % 2 == 0 ? std::vector<size_t>{64, 2048}
                                              : std::vector<size_t>{1, 64, 65, 1024, 1025, 4096, 65536};
    for (int i = 0; odd_classes && i < 40; ++i) {
        sizes.push_back(1 + random() % (i % 2 == 0 ? kSmallLimit : kLargestSmall));
    }
    std::map<ClassIndex, ClassStats> expected;
    std::vector<std::pair<void*, ClassIndex>> live;
    for (int step = 0; step < 20'000; ++step) {
        const bool mostly_gets = step / 700 % 2 == 0;
        if (random() % 100 < (mostly_gets ? 58U : 42U)) {
            const size_t n = sizes[random() % sizes.size()];
            const ClassIndex c = size_classes.class_of(n);
            const ThreadBlock* block = thread_cache.block;
            const bool will_miss = block == nullptr || block->level(c) == 0;
            void* p = get(n);
            ASSERT_NE(p, nullptr);
            ASSERT_EQ(address_of(p) % size_classes.alignment, 0U);
            ++(will_miss ? expected[c].misses : expected[c].hits);
            memset(p, static_cast<int>(live.size() & 0x7F), 16);
            *static_cast<uint64_t*>(p) = live.size();
            live.emplace_back(p, c);
        } else if (!live.empty()) {
            const size_t i = random() % live.size();
            ASSERT_EQ(*static_cast<uint64_t*>(live[i].first), i) << "handed out twice";
            ++expected[live[i].second].frees;
            put(live[i].first);
            live[i] = live.back();
            *static_cast<uint64_t*>(live[i].first) = i;
            live.pop_back();
        }
        if (clock == Clock::looks && random() % 64 == 0) {
            fake_os::advance_clock(random() % 40'000'000);
        } else if (clock == Clock::ticks && random() % 8 == 0) {
            fake_os::advance_clock(random() % maintenance::interval_ns());
        }
        if (thread_cache.block != nullptr) {
            check_lanes(*thread_cache.block);
        }
    }
    for (const auto& [c, stats] : expected) {
        const ClassStats got = since(c);
        EXPECT_EQ(got.allocations(), stats.allocations()) << size_classes[c].object_size;
        EXPECT_EQ(got.frees, stats.frees) << size_classes[c].object_size;
        if (clock == Clock::still) {  // a pass may otherwise empty the lane before the request
            EXPECT_EQ(got.hits, stats.hits) << size_classes[c].object_size;
            EXPECT_EQ(got.refills, stats.misses) << size_classes[c].object_size;
        }
    }
}

TEST_F(ThreadCacheTest, ALoneRequestNowAndThenIsCountedOnce) {
    // Each request finds that its lane's countdown has expired, that a maintenance pass is due, or that one
    // has emptied the lane.
    for (const uint64_t pause :
         {uint64_t{1'000'000}, maintenance::interval_ns(), 3 * maintenance::interval_ns()}) {
        for (const size_t n : {size_t{64}, size_t{4096}}) {
            const ClassIndex c = size_classes.class_of(n);
            const ClassStats at_first = since(c);
            for (uint64_t i = 1; i <= 200; ++i) {
                fake_os::advance_clock(pause);
                put(get(n));
                ASSERT_EQ(since(c).allocations() - at_first.allocations(), i) << n << " every " << pause;
                ASSERT_EQ(since(c).frees - at_first.frees, i) << n << " every " << pause;
            }
        }
    }
}

TEST_F(ThreadCacheTest, ManyThreadsHandObjectsOnAndEverySumIsExact) {
    constexpr int kThreads = 4;
    constexpr uint64_t kGets = 30'000;
    std::atomic<void*> mailboxes[16] = {};
    std::vector<std::thread> threads;
    uint64_t left = 0;
    for (unsigned t = 0; t < kThreads; ++t) {
        threads.emplace_back([t, &mailboxes] {
            std::mt19937 random(t);
            for (uint64_t i = 0; i < kGets; ++i) {
                void* p = get(random() % 2 == 0 ? 100 : 3000);
                ASSERT_NE(p, nullptr);
                p = mailboxes[random() % 16].exchange(p);
                if (p != nullptr) {
                    put(p);
                }
                if (t == 0 && i % 500 == 0) {
                    fake_os::advance_clock(maintenance::interval_ns() / 3);
                }
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    for (std::atomic<void*>& mailbox : mailboxes) {
        if (void* p = mailbox.exchange(nullptr)) {
            put(p);
            ++left;
        }
    }
    const ClassIndex small = size_classes.class_of(100);
    const ClassIndex large = size_classes.class_of(3000);
    EXPECT_EQ(since(small).allocations() + since(large).allocations(), kThreads * kGets);
    EXPECT_EQ(since(small).frees, since(small).allocations());
    EXPECT_EQ(since(large).frees, since(large).allocations());
    EXPECT_GT(left, 0U);
    thread_registry::detach();
    for (const ClassIndex c : {small, large}) {
        depots[c].reap(true);
        EXPECT_EQ(depots[c].stats().spans, 0U) << "an object is missing";
    }
}

/// Allocates `count` objects and frees them, `rounds` times.
void swing(size_t n, size_t count, int rounds) {
    std::vector<void*> objects(count);
    for (int round = 0; round < rounds; ++round) {
        for (void*& object : objects) {
            object = get(n);
        }
        for (void* object : objects) {
            put(object);
        }
    }
}

/// What the lane of a class may hold, and all lanes together.
uint32_t capacity_of(size_t n) {
    const ClassIndex c = size_classes.class_of(n);
    return thread_cache.block->is_set_up(c) ? thread_cache.block->capacity(c) : 0;
}
size_t bytes_of_all_lanes() {
    size_t bytes = 0;
    for (ClassIndex c = 1; c < size_classes.count; ++c) {
        bytes += thread_cache.block->is_set_up(c)
                     ? thread_cache.block->capacity(c) * size_classes[c].object_size
                     : 0;
    }
    return bytes;
}

TEST_F(ThreadCacheTest, TheSwingIsWhatTheLaneWouldHaveToHold) {
    const ClassIndex c = size_classes.class_of(32 * KiB);
    swing(32 * KiB, 1, 50);
    EXPECT_EQ(counts().classes[c].swing, 0U);
    swing(32 * KiB, 40, 50);
    EXPECT_GE(counts().classes[c].swing, 40U);
    EXPECT_LE(counts().classes[c].swing, 48U);  // with the step of a refill
    check_lanes(*thread_cache.block);
}

TEST_F(ThreadCacheTest, TheSwingOfAThreadThatHasEndedStillCounts) {
    std::thread([] { swing(32 * KiB, 40, 50); }).join();
    EXPECT_GE(counts().classes[size_classes.class_of(32 * KiB)].swing, 40U);
}

TEST_F(ThreadCacheTest, AClassMayHaveALimitOfItsOwn) {
    CacheSettings settings;
    settings.class_bytes[size_classes.class_of(32 * KiB)] = 96 * 32 * KiB;
    settings.class_bytes[size_classes.class_of(64)] = 128;
    fresh_caches(settings);
    swing(32 * KiB, 40, 1);
    region.forget_growth();
    swing(32 * KiB, 40, 49);
    swing(64, 40, 50);
    swing(128, 40, 50);
    EXPECT_GE(capacity_of(32 * KiB), 40U);
    EXPECT_LE(capacity_of(32 * KiB), 96U);
    EXPECT_EQ(capacity_of(64), 2U);
    EXPECT_GE(capacity_of(128), 40U);
    EXPECT_LT(since(size_classes.class_of(32 * KiB)).misses, 60U);
}

/// Lets the lanes of all classes grow.
void use_all_classes(int bursts) {
    for (ClassIndex c = 1; c < size_classes.count; ++c) {
        swing(size_classes[c].object_size, 12, bursts);
        region.forget_growth();  // a flush would empty the lanes
    }
}

TEST_F(ThreadCacheTest, AllLanesOfAThreadStayWithinATotal) {
    const size_t total = tuning::total_budget(CacheSettings{}.budget_bytes, false);
    use_all_classes(1);  // a lane overflows at most once, and does not run dry after that
    check_lanes(*thread_cache.block);
    EXPECT_GE(bytes_of_all_lanes(), total);
    EXPECT_LE(bytes_of_all_lanes(), total + 1 * MiB) << "a lane has its first capacity in any case";
    // What idle classes give up serves others.
    for (int i = 0; i < 3; ++i) {
        fake_os::advance_clock(maintenance::interval_ns());
        reclaim_caches(false);
    }
    EXPECT_LE(bytes_of_all_lanes(), total / 2);
    swing(64 * KiB, 8, 50);
    EXPECT_EQ(capacity_of(64 * KiB), 8U);
}

TEST_F(ThreadCacheTest, LanesThatOverflowAndRunDryGrowBeyondTheTotal) {
    const size_t total = tuning::total_budget(CacheSettings{}.budget_bytes, false);
    use_all_classes(5);
    check_lanes(*thread_cache.block);
    EXPECT_GE(bytes_of_all_lanes(), 2 * total);
    EXPECT_LE(bytes_of_all_lanes(), tuning::total_budget(CacheSettings{}.budget_bytes, true) + 1 * MiB);
}

TEST_F(ThreadCacheTest, AutomaticLimitsFollowTheSwingWithinATotal) {
    fresh_caches({.automatic = true});
    swing(32 * KiB, 40, 50);
    EXPECT_GE(capacity_of(32 * KiB), 40U);
    const uint64_t misses = counts().misses();
    swing(32 * KiB, 40, 50);
    EXPECT_EQ(counts().misses(), misses) << "the lane holds its swing";
    // Another class needs the room more often: the first one gives it up.
    swing(64 * KiB, 100, 200);
    EXPECT_GE(capacity_of(64 * KiB), 100U);
    EXPECT_LE(capacity_of(32 * KiB), 8U);
    for (const size_t n : {1 * KiB, 4 * KiB, 8 * KiB, 16 * KiB, 24 * KiB}) {
        swing(n, 200, 20);
        check_lanes(*thread_cache.block);
        EXPECT_LE(bytes_of_all_lanes(), tuning::kAutomaticTotalBytes + 8 * 64 * KiB) << n;
    }
}

TEST_F(ThreadCacheTest, AnIdleClassLosesItsAutomaticLimit) {
    fresh_caches({.automatic = true});
    swing(32 * KiB, 40, 50);
    EXPECT_GE(capacity_of(32 * KiB), 40U);
    for (int i = 0; i < 3; ++i) {
        fake_os::advance_clock(maintenance::interval_ns());
        reclaim_caches(false);
    }
    swing(32 * KiB, 2, 5);
    EXPECT_LE(capacity_of(32 * KiB), 8U);
}

TEST_F(ThreadCacheTest, CapacityStartsSmallAndDoublesWithMisses) {
    get(64);
    const ThreadBlock& block = *thread_cache.block;
    const uint32_t largest = tuning::largest_capacity(64, CacheSettings{}.budget_bytes);
    const uint32_t first = tuning::first_capacity(64, largest);
    EXPECT_EQ(block.capacity(1), first);
    for (uint32_t capacity = first; capacity < largest;) {
        while (block.level(1) != 0) {
            get(64);
        }
        get(64);
        capacity = tuning::grown_capacity(capacity, largest);
        ASSERT_EQ(block.capacity(1), capacity);
    }
}

/// 2,000 objects of 64 bytes, allocated by a thread whose cache then gave all others away.
std::vector<void*> live_objects_beside_an_empty_lane() {
    std::vector<void*> objects;
    for (int i = 0; i < 2'000; ++i) {
        objects.push_back(get(64));
    }
    flush_this_thread();
    return objects;
}

TEST_F(ThreadCacheTest, AFullLaneGrowsThenGivesTheOlderHalfAway) {
    std::vector<void*> objects = live_objects_beside_an_empty_lane();
    const ThreadBlock& block = *thread_cache.block;
    const uint32_t largest = tuning::largest_capacity(64, CacheSettings{}.budget_bytes);
    uint32_t next = 0;
    while (since(1).flushes == 1 || block.level(1) == largest) {
        put(objects[next++]);
    }
    ASSERT_EQ(next, largest + 1) << "full to the last slot, and one more";
    EXPECT_EQ(block.level(1), largest - tuning::flush_count(largest, false) + 1);
    const uint32_t kept = block.level(1);
    for (uint32_t i = 0; i < kept; ++i) {
        ASSERT_EQ(get(64), objects[--next]) << "newest first";
    }
    EXPECT_EQ(block.level(1), 0U);
}

TEST_F(ThreadCacheTest, AThreadThatOnlyFreesOrOnlyAllocatesExchangesMoreAtOnce) {
    std::vector<void*> objects = live_objects_beside_an_empty_lane();
    const ThreadBlock& block = *thread_cache.block;
    const uint32_t largest = tuning::largest_capacity(64, CacheSettings{}.budget_bytes);
    const uint64_t before = since(1).flushes;
    for (void* const object : objects) {
        put(object);
    }
    const uint64_t flushes = since(1).flushes - before;
    EXPECT_LE(flushes, 2'000 / (largest - 16) + 1);
    EXPECT_GT(flushes, 4U);
    objects.clear();
    const uint32_t level = block.level(1);
    const uint64_t refills = since(1).refills;
    for (uint32_t i = 0; i < level + 3 * 200; ++i) {
        get(64);
    }
    EXPECT_LE(since(1).refills - refills, 4U) << "one refill brings nearly as much as the lane holds";
}

/// The most objects of `size` bytes that the lane holds while the objects are freed.
uint32_t most_in_lane(const std::vector<void*>& objects, ClassIndex c) {
    uint32_t most = 0;
    for (void* const object : objects) {
        put(object);
        most = std::max(most, thread_cache.block->level(c));
    }
    return most;
}

TEST_F(ThreadCacheTest, ALaneOfAThreadThatOnlyFreesHasHalfTheCapacity) {
    constexpr size_t kSize = 704;  // no other test made the lane of this class overflow
    constexpr size_t kMany = 600;
    const ClassIndex c = size_classes.smallest_class_for(kSize);
    const uint32_t largest = tuning::largest_capacity(kSize, CacheSettings{}.budget_bytes);
    const auto allocate_many = [] {
        std::vector<void*> objects(kMany);
        for (void*& object : objects) {
            object = get(kSize);
        }
        return objects;
    };
    std::thread([&] {  // whose lanes never overflowed before
        const std::vector<void*> objects = allocate_many();
        flush_this_thread();
        EXPECT_EQ(most_in_lane(objects, c), largest / 2);
        // When a lane that overflowed runs dry, it turns out that the thread does both in turn.
        const std::vector<void*> more = allocate_many();
        flush_this_thread();
        EXPECT_EQ(most_in_lane(more, c), largest);
    })
        .join();
}

TEST_F(ThreadCacheTest, AThreadThatEndsLeavesItsObjectsCountsAndBlock) {
    ThreadBlock* block_of_first = nullptr;
    void* object = nullptr;
    const uint64_t ended = counts().threads_ended;
    std::thread([&] {
        object = get(64);
        put(object);
        block_of_first = thread_cache.block;
    }).join();
    EXPECT_EQ(since(1).allocations(), 1U);
    EXPECT_EQ(since(1).frees, 1U);
    std::thread([&] {
        EXPECT_EQ(get(64), object);
        EXPECT_EQ(thread_cache.block, block_of_first);
        EXPECT_FALSE(thread_cache.block->is_set_up(2)) << "as new";
    }).join();
    EXPECT_EQ(since(1).allocations(), 2U);
    EXPECT_EQ(counts().threads_ended - ended, 2U);
}

TEST_F(ThreadCacheTest, AThreadThatOnlyFreesAFewGetsNoCache) {
    std::vector<void*> objects;
    for (int i = 0; i < 100; ++i) {
        objects.push_back(get(64));
    }
    std::thread([&] {
        for (int i = 0; i < 20; ++i) {
            put(objects.back());
            objects.pop_back();
        }
        EXPECT_EQ(thread_cache.block, nullptr);
        while (!objects.empty()) {
            put(objects.back());
            objects.pop_back();
        }
        EXPECT_NE(thread_cache.block, nullptr);
    }).join();
    EXPECT_EQ(since(1).frees, 100U);
}

TEST_F(ThreadCacheTest, WarmUpIsReadyBeforeTheFirstRequestAndLosesNothing) {
    fresh_caches({});
    EXPECT_TRUE(warm_up_new_threads(1, 50));
    EXPECT_TRUE(warm_up_new_threads(size_classes.class_of(4096), 16));
    EXPECT_TRUE(warm_up_new_threads(1, 30));  // the same class again
    before = counts();
    std::vector<void*> objects;
    for (int i = 0; i < 80; ++i) {
        objects.push_back(get(64));
    }
    for (int i = 0; i < 16; ++i) {
        objects.push_back(get(4096));
    }
    EXPECT_EQ(since(1).misses, 0U);
    EXPECT_EQ(since(1).hits, 80U);
    EXPECT_EQ(since(size_classes.class_of(4096)).misses, 0U);
    for (void* object : objects) {
        put(object);
    }
    EXPECT_EQ(since(1).frees, 80U);
    thread_registry::detach();
    for (ClassIndex c = 1; c < size_classes.count; ++c) {
        depots[c].reap(true);
        EXPECT_EQ(depots[c].stats().spans, 0U) << "an object is missing";
    }
    forget_warm_ups();
}

TEST_F(ThreadCacheTest, WarmUpFollowsTheClassesThatServeTheSizeNow) {
    fresh_caches({}, 0, {.choice = ClassChoice::automatic});
    EXPECT_TRUE(warm_up_new_threads(size_classes.smallest_class_for(20), 40));
    EXPECT_TRUE(warm_up_new_threads(size_classes.smallest_class_for(40), 30));
    const auto misses = [](std::initializer_list<size_t> sizes) {
        const uint64_t misses_before = counts().misses();
        std::thread([&] {
            std::vector<void*> objects;
            for (const size_t n : sizes) {
                objects.push_back(get(n));
            }
            std::for_each(objects.begin(), objects.end(), put);
        }).join();
        return counts().misses() - misses_before;
    };
    EXPECT_EQ(misses({20, 20, 40, 64}), 0U);
    size_classes.refine();
    EXPECT_EQ(misses({20, 40}), 0U);
    EXPECT_EQ(misses({64}), 1U) << "nobody asked for objects of 64 bytes";
    forget_warm_ups();
}

TEST_F(ThreadCacheTest, ClassesMayChangeWhileThreadsAllocate) {
    fresh_caches({}, 0, {.choice = ClassChoice::automatic});
    std::atomic<int> ready{0};
    std::vector<std::thread> threads;
    for (unsigned seed = 1; seed <= 4; ++seed) {
        threads.emplace_back([&ready, seed] {
            std::mt19937 random(seed);
            std::vector<std::pair<unsigned char*, size_t>> live;
            for (int step = 0; step < 20'000; ++step) {
                ready += step == 1000 ? 1 : 0;
                const size_t n = 1 + random() % 256;
                live.emplace_back(static_cast<unsigned char*>(get(n)), n);
                memset(live.back().first, static_cast<int>(n % 251), n);
                if (live.size() > 500) {
                    std::swap(live[random() % live.size()], live.back());
                    unsigned char* const p = live.back().first;
                    const size_t size = live.back().second;
                    ASSERT_TRUE(
                        std::all_of(p, p + size, [size](unsigned char byte) { return byte == size % 251; }));
                    put(p);
                    live.pop_back();
                }
            }
            for (const auto& [p, n] : live) {
                put(p);
            }
        });
    }
    while (ready == 0) {
        std::this_thread::yield();
    }
    size_classes.refine();
    std::for_each(threads.begin(), threads.end(), [](std::thread& thread) { thread.join(); });
    const Snapshot now = counts();
    EXPECT_EQ(now.allocations() - before.allocations(), 80'000U);
    EXPECT_EQ(now.frees() - before.frees(), 80'000U);
}

TEST_F(ThreadCacheTest, UncachedEveryOperationIsVerifiedAndCounted) {
    CacheSettings settings;
    settings.uncached = true;
    fresh_caches(settings);
    before = counts();
    set_on_error(OnError::warn);
    void* p = get(64);
    EXPECT_EQ(thread_cache.block, nullptr);
    EXPECT_TRUE(put_back_slow(p, 1, "free"));
    void* q = get(64);
    testing::internal::CaptureStderr();
    EXPECT_FALSE(put_back_slow(static_cast<char*>(q) + 16, 1, "free"));
    EXPECT_TRUE(put_back_slow(q, 1, "free"));
    EXPECT_FALSE(put_back_slow(q, 1, "free"));
    testing::internal::GetCapturedStderr();
    EXPECT_EQ(since(1).misses, 2U);
    EXPECT_EQ(since(1).hits, 0U);
    EXPECT_EQ(since(1).frees, 2U) << "refused ones do not count";
}

TEST_F(ThreadCacheTest, WhatTheSlowPathSaysIsZeroIs) {
    std::mt19937 random(3);
    std::vector<unsigned char*> live;
    int zeroes = 0;
    for (int step = 0; step < 20'000; ++step) {
        if (random() % 100 < 52) {
            const ClassIndex c = random() % 2 == 0 ? 2 : size_classes.class_of(5000);
            bool zeroed = false;
            RegionFailure why{};
            auto* p = static_cast<unsigned char*>(allocate_from_cache(c, &zeroed, &why));
            ASSERT_NE(p, nullptr);
            const size_t size = size_classes[c].object_size;
            zeroes += zeroed;
            ASSERT_TRUE(!zeroed || std::all_of(p, p + size, [](unsigned char byte) { return byte == 0; }));
            memset(p, 0xAB, size);
            live.push_back(p);
        } else if (!live.empty()) {
            std::swap(live[random() % live.size()], live.back());
            put(live.back());
            live.pop_back();
        }
        if (random() % 50 == 0) {
            fake_os::advance_clock(maintenance::interval_ns());
        }
        if (random() % 2'000 == 0) {
            maintenance::purge_everything();
        }
    }
    EXPECT_GT(zeroes, 10);
}

TEST_F(ThreadCacheTest, NoPagesIsANullWithItsReasonAndPassesOff) {
    fresh_caches({}, kRegionPageSize);
    std::vector<void*> objects;
    while (void* p = get(960)) {
        objects.push_back(p);
    }
    EXPECT_EQ(objects.size(), kRegionPageSize / 960);
    bool zeroed = true;
    RegionFailure why{};
    EXPECT_EQ(allocate_from_cache(size_classes.class_of(960), &zeroed, &why), nullptr);
    EXPECT_EQ(why, RegionFailure::limit);
    EXPECT_FALSE(zeroed);
    check_lanes(*thread_cache.block);
    put(objects.back());
    EXPECT_EQ(get(960), objects.back());
}

/// Like malloc when something is due that allocates itself before the countdown is checked.
std::vector<void*> nested;
void* get_nested_slow(size_t n) {
    for (int i = 0; i < 3; ++i) {
        nested.push_back(get(n));
    }
    return get_slow(n);
}

TEST_F(ThreadCacheTest, WhatIsServedWhileARequestIsInItsSlowPathIsCounted) {
    std::vector<void*> objects;
    for (int i = 0; i < 8; ++i) {
        objects.push_back(get(64));
    }
    std::for_each(objects.begin(), objects.end(), put);
    const Snapshot before = counts();
    poll_soon();  // the next request is counted, and then takes the slow path
    void* const p = allocate_fast<get_nested_slow>(64);
    nested.push_back(p);
    EXPECT_EQ(nested.size(), 4U);
    EXPECT_EQ(counts().allocations() - before.allocations(), 4U);
    EXPECT_EQ(counts().frees() - before.frees(), 0U);
    check_lanes(*thread_cache.block);
    std::for_each(nested.begin(), nested.end(), put);
    EXPECT_EQ(counts().frees() - before.frees(), 4U);
}

}  // namespace
