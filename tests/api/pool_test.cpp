// SPDX-License-Identifier: MIT
//
// Tests bounded pools through the C interface: their counts, and the report of every mistake. Compiled with
// the checks of debug builds.
#define HOTLANE_POOL_CHECKS 1
#include "hotlane/hotlane.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <gtest/gtest.h>
#include <new>
#include <string>
#include <thread>
#include <vector>

namespace {

struct PoolDeleter {
    void operator()(hotlane_pool* pool) const { hotlane_pool_destroy(pool); }
};
using PoolOwner = std::unique_ptr<hotlane_pool, PoolDeleter>;

hotlane_pool_statistics of(const char* name) { return hotlane::pool_statistics(name); }

TEST(Pool, ObjectsAreAlignedDistinctAndLastInFirstOut) {
    const PoolOwner pool{hotlane_pool_create("lifo", 100, 3, HOTLANE_POOL_TOUCH)};
    EXPECT_EQ(pool->object_size, 128U);
    void* const a = hotlane_pool_get(pool.get());
    void* const b = hotlane_pool_get(pool.get());
    void* const c = hotlane_pool_get(pool.get());
    EXPECT_EQ(reinterpret_cast<uintptr_t>(a) % 64, 0U);
    EXPECT_EQ(static_cast<char*>(b) - static_cast<char*>(a), 128);
    EXPECT_EQ(static_cast<char*>(c) - static_cast<char*>(b), 128);
    EXPECT_EQ(hotlane_pool_get(pool.get()), nullptr);
    hotlane_pool_put(pool.get(), a);
    hotlane_pool_put(pool.get(), c);
    EXPECT_EQ(hotlane_pool_get(pool.get()), c);
    EXPECT_EQ(hotlane_pool_get(pool.get()), a);
    hotlane_pool_put(pool.get(), nullptr);
    for (void* p : {a, b, c}) {
        hotlane_pool_put(pool.get(), p);
    }
}

TEST(Pool, EverythingIsCountedAndOutlivesThePool) {
    {
        const PoolOwner pool{hotlane_pool_create("counted", 64, 4, 0)};
        const PoolOwner other{hotlane_pool_create("counted", 64, 4, 0)};
        void* objects[5];
        for (void*& object : objects) {
            object = hotlane_pool_get(pool.get());
        }
        EXPECT_EQ(objects[4], nullptr);
        hotlane_pool_put(pool.get(), objects[3]);
        const hotlane_pool_statistics now = of("counted");
        EXPECT_STREQ(now.name, "counted");
        EXPECT_EQ(now.pools, 2U);
        EXPECT_EQ(now.capacity, 8U);
        EXPECT_EQ(now.in_use, 3U);
        EXPECT_EQ(now.peak, 4U);
        EXPECT_EQ(now.gets, 4U);
        EXPECT_EQ(now.puts, 1U);
        EXPECT_EQ(now.exhausted, 1U);
        EXPECT_DOUBLE_EQ(now.utilisation, 3.0 / 8);
        EXPECT_DOUBLE_EQ(now.hit_rate, 0.8);
        hotlane_pool_reset(pool.get());
        EXPECT_EQ(of("counted").in_use, 0U);
    }
    const hotlane_pool_statistics after = of("counted");
    EXPECT_EQ(after.pools, 0U);
    EXPECT_EQ(after.gets, 4U);
    EXPECT_EQ(after.puts, 4U);
    EXPECT_EQ(after.peak, 4U);
}

TEST(Pool, AResetOfStatisticsBeginsThePeakWithWhatIsInUse) {
    {
        const PoolOwner gone{hotlane_pool_create("was high", 64, 9, 0)};
        for (int i = 0; i < 9; ++i) {
            hotlane_pool_get(gone.get());
        }
        hotlane_pool_reset(gone.get());
    }
    const PoolOwner pool{hotlane_pool_create("high", 64, 8, 0)};
    void* objects[8];
    for (int i = 0; i < 5; ++i) {
        objects[i] = hotlane_pool_get(pool.get());
    }
    for (int i = 5; i-- > 2;) {
        hotlane_pool_put(pool.get(), objects[i]);
    }
    EXPECT_EQ(of("high").peak, 5U);
    EXPECT_EQ(of("was high").peak, 9U);
    hotlane_stats_reset();
    EXPECT_EQ(of("high").peak, 2U);
    EXPECT_EQ(of("was high").peak, 0U);
    for (int i = 2; i < 4; ++i) {
        objects[i] = hotlane_pool_get(pool.get());
    }
    for (int i = 4; i-- > 0;) {
        hotlane_pool_put(pool.get(), objects[i]);
    }
    EXPECT_EQ(of("high").peak, 4U);
    EXPECT_EQ(of("high").gets, 2U);
    EXPECT_EQ(of("high").in_use, 0U);
    std::string report(64 << 10, '\0');
    ASSERT_NE(hotlane_stats_format(report.data(), report.size(), HOTLANE_JSON), 0U);
    EXPECT_NE(report.find("\"peak\": 5, \"gets\": 7"), std::string::npos) << "since the start";
    EXPECT_NE(report.find("\"peak\": 9, \"gets\": 9"), std::string::npos);
}

TEST(Pool, AResetByAnotherThreadLosesNoObject) {
    static constexpr size_t kCapacity = 16;
    const PoolOwner pool{hotlane_pool_create("reset meanwhile", 64, kCapacity, 0)};
    std::atomic<bool> done{false};
    std::thread other([&done] {
        for (int i = 0; i < 2000; ++i) {
            hotlane_stats_reset();
            const hotlane_pool_statistics now = of("reset meanwhile");
            EXPECT_LE(now.in_use, now.peak);
            EXPECT_LE(now.peak, kCapacity);
        }
        done = true;
    });
    std::vector<void*> held;
    for (unsigned i = 0; !done; ++i) {
        const size_t level = i * 7 % (kCapacity + 1);
        while (held.size() < level) {
            held.push_back(hotlane_pool_get(pool.get()));
            ASSERT_NE(held.back(), nullptr);
        }
        while (held.size() > level) {
            hotlane_pool_put(pool.get(), held.back());
            held.pop_back();
        }
    }
    other.join();
    while (held.size() < kCapacity) {
        held.push_back(hotlane_pool_get(pool.get()));
        ASSERT_NE(held.back(), nullptr);
    }
    EXPECT_EQ(hotlane_pool_get(pool.get()), nullptr);
    EXPECT_EQ(of("reset meanwhile").peak, kCapacity);
    std::sort(held.begin(), held.end());
    EXPECT_EQ(std::unique(held.begin(), held.end()), held.end());
    hotlane_pool_reset(pool.get());
}

TEST(Pool, ExhaustedItFallsBackAndPutKnowsWhichIsWhich) {
    const PoolOwner pool{
        hotlane_pool_create("falls back", 200, 1, HOTLANE_POOL_FALLBACK | HOTLANE_POOL_ZERO_ON_PUT)};
    void* const own = hotlane_pool_get(pool.get());
    auto* const other = static_cast<unsigned char*>(hotlane_pool_get(pool.get()));
    ASSERT_NE(other, nullptr);
    EXPECT_EQ(other[0] + other[255], 0);
    EXPECT_EQ(of("falls back").fallbacks, 1U);
    hotlane_pool_put(pool.get(), own);
    hotlane_pool_put(pool.get(), other);
    EXPECT_EQ(hotlane_pool_get(pool.get()), own);
    hotlane_pool_put(pool.get(), own);
}

TEST(Pool, ClearedOnPut) {
    const PoolOwner pool{hotlane_pool_create("secrets", 64, 2, HOTLANE_POOL_ZERO_ON_PUT)};
    auto* const p = static_cast<volatile unsigned char*>(hotlane_pool_get(pool.get()));
    EXPECT_EQ(p[0], 0);
    p[63] = 7;
    hotlane_pool_put(pool.get(), const_cast<unsigned char*>(p));
    EXPECT_EQ(p[63], 0);
}

TEST(Pool, ImpossibleSizesAreRefused) {
    for (const auto& [size, capacity] :
         std::vector<std::pair<size_t, size_t>>{{0, 1},
                                                {1, 0},
                                                {SIZE_MAX, 1},
                                                {SIZE_MAX - 10, 1},
                                                {64, SIZE_MAX / 8},
                                                {SIZE_MAX / 64, 100},
                                                {size_t{1} << 40U, size_t{1} << 24U}}) {
        errno = 0;
        EXPECT_EQ(hotlane_pool_create("x", size, capacity, 0), nullptr);
        EXPECT_EQ(errno, EINVAL);
    }
    errno = 0;
    EXPECT_EQ(hotlane_pool_create("x", size_t{1} << 40U, 1U << 20U, 0), nullptr);
    EXPECT_EQ(errno, ENOMEM);
}

TEST(PoolDeathTest, MistakesAreNamed) {
    const PoolOwner pool{hotlane_pool_create("careful", 128, 4, 0)};
    char* const p = static_cast<char*>(hotlane_pool_get(pool.get()));
    char* const q = static_cast<char*>(hotlane_pool_get(pool.get()));
    hotlane_pool_put(pool.get(), q);
    int outside = 0;
    EXPECT_DEATH(hotlane_pool_put(pool.get(), q),
                 "pool \"careful\": put\\(0x[0-9a-f]+\\): the object is free already");
    EXPECT_DEATH(hotlane_pool_put(pool.get(), p + 64), "not the start of an object");
    EXPECT_DEATH(hotlane_pool_put(pool.get(), &outside), "not an object of this pool");
    EXPECT_DEATH(std::thread([&] { hotlane_pool_put(pool.get(), p); }).join(),
                 "pool \"careful\": put by a thread that does not own the pool");
    EXPECT_DEATH(std::thread([&] { hotlane_pool_get(pool.get()); }).join(), "get by a thread");
    EXPECT_DEATH(std::thread([&] { hotlane_pool_reset(pool.get()); }).join(), "does not own the pool");
    hotlane_pool_put(pool.get(), p);
}

TEST(Pool, AnAdoptedPoolIsTheOtherThreads) {
    const PoolOwner pool{hotlane_pool_create("moved", 64, 1, 0)};
    std::thread([&] {
        hotlane_pool_adopt(pool.get());
        hotlane_pool_put(pool.get(), hotlane_pool_get(pool.get()));
    }).join();
    hotlane_pool_adopt(pool.get());
    EXPECT_EQ(of("moved").gets, 1U);
}

TEST(Pool, DestroyedWithObjectsOutItSaysHowManyAndTheyStayValid) {
    hotlane_pool* pool = hotlane_pool_create("leaky", 64, 4, 0);
    auto* const kept = static_cast<char*>(hotlane_pool_get(pool));
    hotlane_pool_get(pool);
    // In a process of its own: reports are not written to a file that replaces standard error later.
    EXPECT_EXIT(hotlane_pool_destroy(pool);
                _exit(0), testing::ExitedWithCode(0),
                "hotlane: pool \"leaky\": destroyed with 2 objects outstanding\n");
    hotlane_pool_destroy(pool);
    kept[0] = 1;
    hotlane_pool_destroy(nullptr);
}

TEST(Pool, StatisticsMayBeReadWhileThePoolIsUsed) {
    const PoolOwner pool{hotlane_pool_create("watched", 64, 8, 0)};
    std::thread watcher([] {
        uint64_t before = 0;
        for (int i = 0; i < 2000; ++i) {
            const hotlane_pool_statistics now = of("watched");
            EXPECT_LE(now.in_use, 8U);
            EXPECT_GE(now.gets, before);
            before = now.gets;
        }
    });
    for (int i = 0; i < 100'000; ++i) {
        hotlane_pool_put(pool.get(), hotlane_pool_get(pool.get()));
    }
    watcher.join();
    EXPECT_EQ(of("watched").gets, 100'000U);
}

TEST(Pool, WhatItSavedIsToldAlsoWhenItIsGone) {
    const auto check = [](uint64_t pools) {
        const hotlane_pool_statistics now = of("saving");
        EXPECT_EQ(now.pools, pools);
        EXPECT_EQ(now.gets, 14U);
        EXPECT_EQ(now.saved_allocations, 11U);  // three objects were handed out, the others came again
        EXPECT_EQ(now.bytes_reused, 11U * 128);
        EXPECT_EQ(now.peak_capacity, 12U);
        EXPECT_EQ(now.demand, 3U);
        EXPECT_EQ(now.bytes, pools == 0 ? 0 : 8U * 128);
        EXPECT_EQ(now.peak_bytes, 8U * 128);
        EXPECT_EQ(now.growths, 0U);
        EXPECT_EQ(now.hit_rate, 1.0);
    };
    {
        const PoolOwner pool{hotlane_pool_create("saving", 128, 8, 0)};
        hotlane_pool_destroy(hotlane_pool_create("saving", 128, 4, 0));  // both together held 12
        for (int i = 0; i < 11; ++i) {
            hotlane_pool_put(pool.get(), hotlane_pool_get(pool.get()));
        }
        for (int i = 0; i < 3; ++i) {
            ASSERT_NE(hotlane_pool_get(pool.get()), nullptr);
        }
        hotlane_pool_reset(pool.get());
        check(1);
    }
    check(0);
}

TEST(Pool, ReusesAreCountedPastAResetOfThePeak) {
    const PoolOwner pool{hotlane_pool_create("reset reuses", 64, 8, 0)};
    for (int round = 0; round < 2; ++round) {
        void* const a = hotlane_pool_get(pool.get());
        void* const b = hotlane_pool_get(pool.get());
        hotlane_pool_put(pool.get(), b);
        hotlane_pool_put(pool.get(), a);
        EXPECT_EQ(of("reset reuses").saved_allocations, round == 0 ? 0U : 2U);
        hotlane_stats_reset();
        EXPECT_EQ(of("reset reuses").saved_allocations, 0U);
    }
    hotlane_pool_put(pool.get(), hotlane_pool_get(pool.get()));  // fewer than before
    EXPECT_EQ(of("reset reuses").saved_allocations, 1U);
}

TEST(Pool, DemandCountsWhatTheAllocatorServedMeanwhile) {
    const PoolOwner pool{hotlane_pool_create("in demand", 64, 2, HOTLANE_POOL_FALLBACK)};
    for (const size_t wanted : {7U, 3U, 2U}) {
        std::vector<void*> held;
        while (held.size() < wanted) {
            held.push_back(hotlane_pool_get(pool.get()));
        }
        for (void* p : held) {
            hotlane_pool_put(pool.get(), p);
        }
    }
    EXPECT_EQ(of("in demand").demand, 7U);
    EXPECT_EQ(of("in demand").exhausted, 6U);
}

TEST(Pool, DemandCountsRefusedRequestsUntilAPut) {
    const PoolOwner pool{hotlane_pool_create("refusing", 64, 2, 0)};
    void* const a = hotlane_pool_get(pool.get());
    void* const b = hotlane_pool_get(pool.get());
    for (int round = 0; round < 3; ++round) {
        for (int i = 0; i < 4; ++i) {
            EXPECT_EQ(hotlane_pool_get(pool.get()), nullptr);
        }
        hotlane_pool_put(pool.get(), b);
        EXPECT_EQ(hotlane_pool_get(pool.get()), b);
    }
    EXPECT_EQ(of("refusing").demand, 6U);
    hotlane_pool_put(pool.get(), b);
    hotlane_pool_put(pool.get(), a);
}

/// Gets and puts that may not lose, double or damage an object, whatever is timed.
void use_at_random(hotlane_pool* pool, size_t capacity, int operations) {
    std::vector<unsigned char*> held;
    unsigned dice = 1;
    for (int i = 0; i < operations; ++i) {
        dice = dice * 1664525U + 1013904223U;
        if ((dice >> 16U) % 2 == 0 && held.size() < capacity) {
            held.push_back(static_cast<unsigned char*>(hotlane_pool_get(pool)));
            ASSERT_NE(held.back(), nullptr);
            std::memset(held.back(), static_cast<int>(held.size() % 251), 64);
        } else if (!held.empty()) {
            ASSERT_EQ(held.back()[63], held.size() % 251);
            if (held.size() > 1 && dice % 3 == 0) {  // not only the newest comes back
                std::swap(held.front(), held.back());
                std::memset(held.front(), 1, 64);
            }
            hotlane_pool_put(pool, held.back());
            held.pop_back();
        }
    }
    while (!held.empty()) {
        hotlane_pool_put(pool, held.back());
        held.pop_back();
    }
}

TEST(Pool, ATimedPoolLosesNoObject) {
    for (const size_t capacity : {1U, 2U, 3U, 40U, 300U}) {
        for (const unsigned flags : {0U, HOTLANE_POOL_ZERO_ON_PUT}) {
            const PoolOwner pool{hotlane_pool_create("timed", 64, capacity, flags | HOTLANE_POOL_TIMED)};
            use_at_random(pool.get(), capacity, 20'000);
            std::vector<void*> all;
            while (void* p = hotlane_pool_get(pool.get())) {
                all.push_back(p);
            }
            std::sort(all.begin(), all.end());
            EXPECT_EQ(all.size(), capacity);
            EXPECT_EQ(std::unique(all.begin(), all.end()), all.end());
            hotlane_pool_reset(pool.get());
            use_at_random(pool.get(), capacity, 100);
        }
    }
    EXPECT_GT(of("timed").hold_samples, 10U);
    EXPECT_EQ(of("timed").in_use, 0U);
    EXPECT_GT(of("timed").hold_max_ns, 0U);
}

TEST(Pool, ALongHoldIsCounted) {
    using std::chrono::milliseconds;
    const PoolOwner pool{hotlane_pool_create("held", 64, 4, HOTLANE_POOL_TIMED)};
    for (const milliseconds hold : {milliseconds(120), milliseconds(2), milliseconds(2)}) {
        void* const p = hotlane_pool_get(pool.get());
        void* const q = hotlane_pool_get(pool.get());  // one object is timed at a time
        std::this_thread::sleep_for(hold);
        hotlane_pool_put(pool.get(), q);
        hotlane_pool_put(pool.get(), p);
        std::this_thread::sleep_for(milliseconds(2));
    }
    const hotlane_pool_statistics now = of("held");
    EXPECT_EQ(now.hold_samples, 3U);
    EXPECT_GE(now.long_holds, 1U);
    EXPECT_GE(now.hold_max_ns, 120'000'000U);
    EXPECT_GE(now.hold_p50_ns, 1'700'000U);
    EXPECT_LE(now.hold_p50_ns, now.hold_p99_ns);
    EXPECT_LE(now.hold_p99_ns, now.hold_max_ns);
}

TEST(Pool, ObjectsOwnMemoryBesideThePool) {
    const PoolOwner pool{hotlane_pool_create("owners", 64, 4, 0)};
    hotlane_pool_own_each(pool.get(), 1000);
    hotlane_pool_own(pool.get(), 500);
    hotlane_pool_own(pool.get(), 700);
    hotlane_pool_own(pool.get(), -1100);
    EXPECT_EQ(of("owners").object_size, 1064U);
    EXPECT_EQ(of("owners").bytes, 4U * 1064 + 100);
    EXPECT_EQ(of("owners").peak_bytes, 4U * 1064 + 1200);
}

TEST(Pool, NamesBeyondTheLastAreTheOthers) {
    for (int i = 0; i < 40; ++i) {
        const PoolOwner pool{hotlane_pool_create(("name " + std::to_string(i)).c_str(), 64, 1, 0)};
        hotlane_pool_put(pool.get(), hotlane_pool_get(pool.get()));
    }
    EXPECT_STREQ(of("name 39").name, "");
    EXPECT_EQ(of("name 3").gets, 1U);
    EXPECT_GT(of("others").gets, 8U);
}

}  // namespace
