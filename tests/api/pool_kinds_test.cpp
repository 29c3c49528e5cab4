// SPDX-License-Identifier: MIT
//
// Tests the kinds of pools that several threads use, pools that grow, and what release builds check. Compiled
// without the checks of debug builds.
#define HOTLANE_POOL_CHECKS 0
#include "hotlane/hotlane.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <gtest/gtest.h>
#include <memory>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

// Fields that are not named are zero, which is the default.
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

namespace {

struct PoolDeleter {
    void operator()(hotlane_pool* pool) const { hotlane_pool_destroy(pool); }
};
using PoolOwner = std::unique_ptr<hotlane_pool, PoolDeleter>;

PoolOwner make(const hotlane_pool_settings& settings) {
    return PoolOwner{hotlane_pool_create_with(&settings, sizeof settings)};
}
hotlane_pool_statistics of(const char* name) { return hotlane::pool_statistics(name); }

/// Fills every byte of an object with a pattern of its own; and tests it.
void stamp(void* p, size_t size, unsigned seed) {
    auto* const bytes = static_cast<unsigned char*>(p);
    for (size_t i = 0; i < size; ++i) {
        bytes[i] = static_cast<unsigned char>(seed * 31 + i);
    }
}
bool is_stamped(const void* p, size_t size, unsigned seed) {
    const auto* const bytes = static_cast<const unsigned char*>(p);
    for (size_t i = 0; i < size; ++i) {
        if (bytes[i] != static_cast<unsigned char>(seed * 31 + i)) {
            return false;
        }
    }
    return true;
}

// ---- shared ------------------------------------------------------------------------------------------------

TEST(SharedPool, IsBoundedAndLastInFirstOut) {
    const PoolOwner pool = make({.name = "shared", .size = 200, .capacity = 3, .flags = HOTLANE_POOL_SHARED});
    EXPECT_EQ(pool->object_size, 256U);
    void* objects[3];
    for (void*& object : objects) {
        object = hotlane_pool_get(pool.get());
        ASSERT_NE(object, nullptr);
        EXPECT_EQ(reinterpret_cast<uintptr_t>(object) % 64, 0U);
    }
    EXPECT_EQ(static_cast<char*>(objects[1]) - static_cast<char*>(objects[0]), 256);
    errno = 0;
    EXPECT_EQ(hotlane_pool_get(pool.get()), nullptr);
    EXPECT_EQ(errno, ENOBUFS);
    EXPECT_EQ(hotlane_pool_in_use(pool.get()), 3U);
    hotlane_pool_put(pool.get(), nullptr);
    hotlane_pool_put(pool.get(), objects[0]);
    hotlane_pool_put(pool.get(), objects[2]);
    EXPECT_EQ(hotlane_pool_get(pool.get()), objects[2]);
    EXPECT_EQ(hotlane_pool_get(pool.get()), objects[0]);
    for (void* object : objects) {
        hotlane_pool_put(pool.get(), object);
    }
    const hotlane_pool_statistics now = of("shared");
    EXPECT_EQ(now.gets, 5U);
    EXPECT_EQ(now.puts, 5U);
    EXPECT_EQ(now.exhausted, 1U);
    EXPECT_EQ(now.peak, 3U);
    EXPECT_EQ(now.in_use, 0U);
}

/// Four threads get up to three objects each from a pool of eight: sometimes there are none.
TEST(SharedPool, NoObjectHasTwoOwnersAndEveryOperationIsCounted) {
    constexpr size_t kSize = 192;
    constexpr int kRounds = 20'000;
    constexpr size_t kThreads = 4;
    const PoolOwner pool = make({.name = "busy", .size = kSize, .capacity = 8, .flags = HOTLANE_POOL_SHARED});
    std::atomic<uint64_t> gets{0};
    std::atomic<uint64_t> refusals{0};
    std::atomic<int> damaged{0};
    std::vector<std::thread> threads;
    for (unsigned number = 0; number < kThreads; ++number) {
        threads.emplace_back([&, number] {
            void* held[3];
            for (int round = 0; round < kRounds; ++round) {
                for (void*& object : held) {
                    object = hotlane_pool_get(pool.get());
                    ++(object != nullptr ? gets : refusals);
                    if (object != nullptr) {
                        stamp(object, kSize, number);
                    }
                }
                for (void* object : held) {
                    damaged += object != nullptr && !is_stamped(object, kSize, number) ? 1 : 0;
                    hotlane_pool_put(pool.get(), object);
                }
            }
        });
    }
    std::thread watcher([&] {
        for (int i = 0; i < 500; ++i) {
            const hotlane_pool_statistics now = of("busy");
            EXPECT_LE(now.in_use, 8U);
            EXPECT_LE(now.peak, 8U);
        }
    });
    for (std::thread& thread : threads) {
        thread.join();
    }
    watcher.join();
    EXPECT_EQ(damaged, 0);
    const hotlane_pool_statistics now = of("busy");
    EXPECT_EQ(now.gets, gets);
    EXPECT_EQ(now.puts, gets);
    EXPECT_EQ(now.exhausted, refusals);
    EXPECT_EQ(now.gets + now.exhausted, uint64_t{3} * kRounds * kThreads);
    EXPECT_EQ(now.in_use, 0U);
    std::set<void*> all;
    while (void* object = hotlane_pool_get(pool.get())) {
        all.insert(object);
    }
    EXPECT_EQ(all.size(), 8U);
    hotlane_pool_reset(pool.get());
}

TEST(SharedPool, FallsBackInAnyThread) {
    const PoolOwner pool =
        make({.name = "shared falls back",
              .size = 100,
              .capacity = 1,
              .flags = HOTLANE_POOL_SHARED | HOTLANE_POOL_FALLBACK | HOTLANE_POOL_ZERO_ON_PUT});
    void* const own = hotlane_pool_get(pool.get());
    void* other = nullptr;
    std::thread([&] { other = hotlane_pool_get(pool.get()); }).join();
    ASSERT_NE(other, nullptr);
    stamp(other, 128, 1);
    stamp(own, 128, 1);
    EXPECT_EQ(of("shared falls back").fallbacks, 1U);
    std::thread([&] {
        hotlane_pool_put(pool.get(), own);
        hotlane_pool_put(pool.get(), other);
    }).join();
    const auto* const cleared = static_cast<unsigned char*>(hotlane_pool_get(pool.get()));
    EXPECT_EQ(cleared, own);
    EXPECT_EQ(std::count(cleared, cleared + 128, 0), 128);
    hotlane_pool_put(pool.get(), own);
}

TEST(SharedPool, AResetKeepsTheCounts) {
    const PoolOwner pool =
        make({.name = "shared reset", .size = 64, .capacity = 4, .flags = HOTLANE_POOL_SHARED});
    for (int i = 0; i < 3; ++i) {
        hotlane_pool_get(pool.get());
    }
    hotlane_pool_reset(pool.get());
    EXPECT_EQ(of("shared reset").in_use, 0U);
    EXPECT_EQ(of("shared reset").gets, 3U);
    EXPECT_EQ(of("shared reset").peak, 3U);
    hotlane_stats_reset();
    hotlane_pool_put(pool.get(), hotlane_pool_get(pool.get()));
    EXPECT_EQ(of("shared reset").gets, 1U);
    EXPECT_EQ(of("shared reset").peak, 1U);
}

TEST(SharedPoolDeathTest, EveryBuildNamesMistakes) {
    const PoolOwner pool =
        make({.name = "shared careful", .size = 192, .capacity = 4, .flags = HOTLANE_POOL_SHARED});
    char* const p = static_cast<char*>(hotlane_pool_get(pool.get()));
    char* const q = static_cast<char*>(hotlane_pool_get(pool.get()));
    hotlane_pool_put(pool.get(), q);
    int outside = 0;
    EXPECT_DEATH(hotlane_pool_put(pool.get(), q),
                 "pool \"shared careful\": put\\(0x[0-9a-f]+\\): the object is free");
    EXPECT_DEATH(hotlane_pool_put(pool.get(), p + 64), "not the start of an object");
    EXPECT_DEATH(hotlane_pool_put(pool.get(), &outside), "not an object of this pool");
    hotlane_pool_put(pool.get(), p);
}

// ---- rings -------------------------------------------------------------------------------------------------

TEST(RingPool, AReaderGetsAndAWorkerPutsBack) {
    constexpr size_t kSize = 128;
    constexpr unsigned kObjects = 100'000;
    const PoolOwner pool = make({.name = "ring", .size = kSize, .capacity = 16, .flags = HOTLANE_POOL_RING});
    std::vector<std::atomic<void*>> queue(32);  // longer than the pool, so that it is never full
    std::atomic<int> damaged{0};
    std::thread worker([&] {
        for (unsigned i = 0; i < kObjects; ++i) {
            void* object = nullptr;
            while ((object = queue[i % 32].exchange(nullptr, std::memory_order_acq_rel)) == nullptr) {
                std::this_thread::yield();
            }
            damaged += is_stamped(object, kSize, i) ? 0 : 1;
            hotlane_pool_put(pool.get(), object);
        }
    });
    uint64_t refusals = 0;
    for (unsigned i = 0; i < kObjects; ++i) {
        void* object = nullptr;
        while ((object = hotlane_pool_get(pool.get())) == nullptr) {
            ++refusals;
            std::this_thread::yield();
        }
        stamp(object, kSize, i);
        while (queue[i % 32].load(std::memory_order_acquire) != nullptr) {
            std::this_thread::yield();
        }
        queue[i % 32].store(object, std::memory_order_release);
    }
    worker.join();
    EXPECT_EQ(damaged, 0);
    const hotlane_pool_statistics now = of("ring");
    EXPECT_EQ(now.gets, kObjects);
    EXPECT_EQ(now.puts, kObjects);
    EXPECT_EQ(now.exhausted, refusals);
    EXPECT_EQ(now.in_use, 0U);
    EXPECT_LE(now.peak, 16U);
    std::set<void*> all;
    while (void* object = hotlane_pool_get(pool.get())) {
        all.insert(object);
    }
    EXPECT_EQ(all.size(), 16U);
    for (void* object : all) {
        hotlane_pool_put(pool.get(), object);  // the reader may put, too
    }
    EXPECT_EQ(hotlane_pool_in_use(pool.get()), 0U);
}

TEST(RingPoolDeathTest, OnlyTwoThreadsUseIt) {
    const PoolOwner pool = make({.name = "pair", .size = 64, .capacity = 4, .flags = HOTLANE_POOL_RING});
    void* const p = hotlane_pool_get(pool.get());
    void* const q = hotlane_pool_get(pool.get());
    EXPECT_DEATH(std::thread([&] { hotlane_pool_get(pool.get()); }).join(),
                 "get by a thread that does not own");
    std::atomic<bool> done{false};
    std::thread worker([&] {
        hotlane_pool_put(pool.get(), p);
        while (!done) {  // so that no other thread gets its thread pointer
            std::this_thread::yield();
        }
    });
    while (hotlane_pool_in_use(pool.get()) == 2) {
        std::this_thread::yield();
    }
    EXPECT_DEATH(std::thread([&] { hotlane_pool_put(pool.get(), q); }).join(),
                 "a second thread puts into a ring");
    done = true;
    worker.join();
    hotlane_pool_adopt(pool.get());
    std::thread([&] { hotlane_pool_put(pool.get(), q); }).join();
    EXPECT_EQ(hotlane_pool_in_use(pool.get()), 0U);
}

// ---- growth ------------------------------------------------------------------------------------------------

TEST(GrowingPool, GrowsToItsBoundAndNoFurther) {
    constexpr size_t kSize = 320;
    const PoolOwner pool = make({.name = "growing", .size = kSize, .capacity = 4, .max_capacity = 1000});
    EXPECT_EQ(hotlane_pool_capacity(pool.get()), 4U);
    std::vector<void*> held;
    while (void* object = hotlane_pool_get(pool.get())) {
        stamp(object, kSize, static_cast<unsigned>(held.size()));
        held.push_back(object);
        ASSERT_LE(held.size(), 1000U);
    }
    EXPECT_EQ(held.size(), 1000U);
    EXPECT_EQ(std::set<void*>(held.begin(), held.end()).size(), 1000U);
    for (unsigned i = 0; i < held.size(); ++i) {
        ASSERT_TRUE(is_stamped(held[i], kSize, i)) << i;
    }
    EXPECT_EQ(of("growing").capacity, 1000U);
    EXPECT_EQ(of("growing").peak, 1000U);
    EXPECT_EQ(of("growing").exhausted, 1U);
    for (void* object : held) {
        hotlane_pool_put(pool.get(), object);
    }
    EXPECT_EQ(of("growing").in_use, 0U);
}

TEST(GrowingPool, AWholePageDoesNotExceedTheBound) {
    const PoolOwner pool = make({.name = "ten", .size = 64, .capacity = 4, .max_capacity = 10});
    for (int i = 0; i < 10; ++i) {
        EXPECT_NE(hotlane_pool_get(pool.get()), nullptr);
    }
    EXPECT_EQ(hotlane_pool_get(pool.get()), nullptr);
    hotlane_pool_reset(pool.get());
    EXPECT_EQ(hotlane_pool_in_use(pool.get()), 0U);
}

TEST(GrowingPool, TrimGivesBackWhatIsFreeAsAWhole) {
    const PoolOwner pool =
        make({.name = "trimmed", .size = 1024, .capacity = 8, .max_capacity = 4096, .growth = 2});
    std::vector<void*> held(4096);
    for (int round = 0; round < 3; ++round) {
        for (void*& object : held) {
            object = hotlane_pool_get(pool.get());
            ASSERT_NE(object, nullptr);
            stamp(object, 1024, 7);
        }
        EXPECT_EQ(hotlane_pool_trim(pool.get()), 0U) << "all are handed out";
        std::swap(held[0], held[2000]);  // lies in a later chunk
        for (size_t i = 1; i < held.size(); ++i) {
            hotlane_pool_put(pool.get(), held[i]);
        }
        EXPECT_GE(hotlane_pool_trim(pool.get()), 2000U << 10U);
        EXPECT_LT(hotlane_pool_capacity(pool.get()), 2100U);
        EXPECT_TRUE(is_stamped(held[0], 1024, 7));
        EXPECT_EQ(hotlane_pool_in_use(pool.get()), 1U);
        EXPECT_EQ(of("trimmed").peak, 4096U);
        hotlane_pool_put(pool.get(), held[0]);
    }
}

/// Takes all 2,000 objects of a pool, puts them back, and waits until the pool has given most of its chunks back.
void expect_idle_chunks_to_return(hotlane_pool* pool, const char* name) {
    std::vector<void*> held;
    while (void* object = hotlane_pool_get(pool)) {
        held.push_back(object);
    }
    for (void* object : held) {
        hotlane_pool_put(pool, object);
    }
    ASSERT_EQ(hotlane_pool_capacity(pool), 2000U);
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds{60};
    while (hotlane_pool_capacity(pool) > 64 && std::chrono::steady_clock::now() < give_up) {
        hotlane_pool_put(pool, hotlane_pool_get(pool));
        // Requests that drive the maintenance passes.
        hotlane_put(hotlane_get(100'000));
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
    EXPECT_LE(hotlane_pool_capacity(pool), 64U);
    EXPECT_EQ(of(name).peak, 2000U);
}

TEST(GrowingPool, IdleChunksReturnByThemselves) {
    const PoolOwner pool = make({.name = "idle", .size = 4096, .capacity = 4, .max_capacity = 2000});
    expect_idle_chunks_to_return(pool.get(), "idle");
}

TEST(GrowingPool, ImpossibleSettingsAreRefused) {
    for (const hotlane_pool_settings& settings : std::vector<hotlane_pool_settings>{
             {.name = "x", .size = 64, .capacity = 4, .max_capacity = 8, .flags = HOTLANE_POOL_RING},
             {.name = "x", .size = 64, .capacity = 4, .flags = HOTLANE_POOL_RING | HOTLANE_POOL_SHARED},
             {.name = "x", .size = 64, .capacity = 1U << 24U, .flags = HOTLANE_POOL_SHARED},
             {.name = "x",
             .size = 64,
             .capacity = 4,
             .max_capacity = 1U << 24U,
             .flags = HOTLANE_POOL_SHARED},
             {.name = "x", .size = 64, .capacity = 4, .max_capacity = SIZE_MAX},
             {.name = "x", .size = SIZE_MAX / 8, .capacity = 4, .max_capacity = 100},
             {.name = "x", .size = 64, .capacity = 4, .max_capacity = 8, .growth = 0.5},
             {.name = "x", .size = 64, .capacity = 4, .max_capacity = 8, .growth = -1}}) {
        errno = 0;
        EXPECT_EQ(make(settings), nullptr);
        EXPECT_EQ(errno, EINVAL);
    }
    const hotlane_pool_settings newer{.name = "newer", .size = 64, .capacity = 4};
    const PoolOwner pool{hotlane_pool_create_with(&newer, offsetof(hotlane_pool_settings, max_capacity))};
    EXPECT_EQ(hotlane_pool_capacity(pool.get()), 4U) << "of a program that knows fewer fields";
}

// ---- growth of shared pools --------------------------------------------------------------------------------

/// Neighbours share pages, also across chunks: 320 bytes do not divide a page.
TEST(GrowingSharedPool, GrowsToItsBoundAndNoFurther) {
    constexpr size_t kSize = 320;
    const PoolOwner pool = make({.name = "growing shared",
                                 .size = kSize,
                                 .capacity = 4,
                                 .max_capacity = 1000,
                                 .flags = HOTLANE_POOL_SHARED | HOTLANE_POOL_ZERO_ON_PUT});
    EXPECT_EQ(hotlane_pool_capacity(pool.get()), 4U);
    std::vector<void*> held;
    while (void* object = hotlane_pool_get(pool.get())) {
        const auto* const bytes = static_cast<unsigned char*>(object);
        ASSERT_EQ(std::count(bytes, bytes + kSize, 0), static_cast<long>(kSize));
        stamp(object, kSize, static_cast<unsigned>(held.size()));
        held.push_back(object);
        ASSERT_LE(held.size(), 1000U);
    }
    EXPECT_EQ(std::set<void*>(held.begin(), held.end()).size(), 1000U);
    for (unsigned i = 0; i < held.size(); ++i) {
        ASSERT_TRUE(is_stamped(held[i], kSize, i)) << i;
    }
    const hotlane_pool_statistics full = of("growing shared");
    EXPECT_EQ(full.capacity, 1000U);
    EXPECT_EQ(full.peak, 1000U);
    EXPECT_EQ(full.gets, 1000U);
    EXPECT_EQ(full.exhausted, 1U);
    EXPECT_GT(full.growths, 3U);
    for (void* object : held) {
        hotlane_pool_put(pool.get(), object);
    }
    EXPECT_EQ(of("growing shared").in_use, 0U);
    EXPECT_EQ(of("growing shared").puts, 1000U);
}

TEST(GrowingSharedPool, TrimGivesBackFromTheEnd) {
    const PoolOwner pool = make({.name = "trimmed shared",
                                 .size = 1024,
                                 .capacity = 8,
                                 .max_capacity = 4096,
                                 .growth = 2,
                                 .flags = HOTLANE_POOL_SHARED});
    std::vector<void*> held(4096);
    for (int round = 0; round < 3; ++round) {
        for (void*& object : held) {
            object = hotlane_pool_get(pool.get());
            ASSERT_NE(object, nullptr);
            stamp(object, 1024, 7);
        }
        EXPECT_EQ(hotlane_pool_trim(pool.get()), 0U) << "all are handed out";
        std::sort(held.begin(), held.end());
        std::swap(held[0], held[1000]);  // lies in the middle
        for (size_t i = 1; i < held.size(); ++i) {
            hotlane_pool_put(pool.get(), held[i]);
        }
        EXPECT_GE(hotlane_pool_trim(pool.get()), 2000U << 10U);
        const size_t capacity = hotlane_pool_capacity(pool.get());
        EXPECT_GE(capacity, 1001U);
        EXPECT_LT(capacity, 2100U);
        EXPECT_TRUE(is_stamped(held[0], 1024, 7));
        EXPECT_EQ(hotlane_pool_in_use(pool.get()), 1U);
        EXPECT_EQ(of("trimmed shared").peak, 4096U);
        hotlane_pool_put(pool.get(), held[0]);
        EXPECT_GT(hotlane_pool_trim(pool.get()), 0U);
        EXPECT_EQ(hotlane_pool_capacity(pool.get()), 8U);
    }
    EXPECT_EQ(of("trimmed shared").gets, 3U * 4096U);
}

/// The pool grows, is trimmed and is used by four threads at the same time.
TEST(GrowingSharedPool, NoObjectHasTwoOwnersAndEveryOperationIsCounted) {
    constexpr size_t kSize = 192;
    constexpr int kRounds = 4'000;
    const PoolOwner pool = make({.name = "busy growth",
                                 .size = kSize,
                                 .capacity = 2,
                                 .max_capacity = 200,
                                 .flags = HOTLANE_POOL_SHARED});
    std::atomic<uint64_t> gets{0};
    std::atomic<int> damaged{0};
    std::atomic<bool> done{false};
    std::vector<std::thread> threads;
    for (unsigned number = 0; number < 4; ++number) {
        threads.emplace_back([&, number] {
            void* held[50];
            for (int round = 0; round < kRounds; ++round) {
                const int wanted = round % 64 == 0 ? 50 : 3;
                for (int i = 0; i < wanted; ++i) {
                    held[i] = hotlane_pool_get(pool.get());
                    damaged += held[i] == nullptr ? 1 : 0;  // 200 are enough for all
                    ++gets;
                    stamp(held[i], kSize, number);
                }
                for (int i = 0; i < wanted; ++i) {
                    damaged += is_stamped(held[i], kSize, number) ? 0 : 1;
                    hotlane_pool_put(pool.get(), held[i]);
                }
            }
        });
    }
    std::thread trimmer([&] {
        while (!done) {
            hotlane_pool_trim(pool.get());
            EXPECT_LE(hotlane_pool_in_use(pool.get()), 200U);
            const hotlane_pool_statistics now = of("busy growth");
            EXPECT_LE(now.in_use, 200U);
            EXPECT_LE(now.peak, 200U);
            EXPECT_GE(now.gets, now.puts);
            std::this_thread::yield();
        }
    });
    for (std::thread& thread : threads) {
        thread.join();
    }
    done = true;
    trimmer.join();
    EXPECT_EQ(damaged, 0);
    const hotlane_pool_statistics now = of("busy growth");
    EXPECT_EQ(now.gets, gets);
    EXPECT_EQ(now.puts, gets);
    EXPECT_EQ(now.exhausted, 0U);
    EXPECT_EQ(now.in_use, 0U);
    EXPECT_GT(now.growths, 1U);
    hotlane_pool_trim(pool.get());
    EXPECT_EQ(hotlane_pool_capacity(pool.get()), 2U);
    std::set<void*> all;
    while (void* object = hotlane_pool_get(pool.get())) {
        all.insert(object);
    }
    EXPECT_EQ(all.size(), 200U);
    hotlane_pool_reset(pool.get());
    EXPECT_EQ(hotlane_pool_in_use(pool.get()), 0U);
    EXPECT_EQ(of("busy growth").gets, gets + 200);
}

TEST(GrowingSharedPool, IdleChunksReturnByThemselves) {
    const PoolOwner pool = make({.name = "idle shared",
                                 .size = 4096,
                                 .capacity = 4,
                                 .max_capacity = 2000,
                                 .flags = HOTLANE_POOL_SHARED});
    expect_idle_chunks_to_return(pool.get(), "idle shared");
}

TEST(GrowingSharedPoolDeathTest, AnObjectThatIsAbsentIsNamed) {
    const PoolOwner pool = make(
        {.name = "absent", .size = 64, .capacity = 4, .max_capacity = 1000, .flags = HOTLANE_POOL_SHARED});
    void* const first = hotlane_pool_get(pool.get());
    EXPECT_DEATH(hotlane_pool_put(pool.get(), static_cast<char*>(first) + 64 * 900),
                 "not the start of an object");
    hotlane_pool_put(pool.get(), first);
}

TEST(RingPool, GrowthIsRefusedWithItsReason) {
    try {
        hotlane::buffer_pool pool{64,
                                  4,
                                  hotlane::on_exhausted::fail,
                                  {.shared = hotlane::sharing::reader_and_worker, .max_capacity = 8}};
        FAIL();
    } catch (const std::bad_alloc& e) {
        EXPECT_STREQ(e.what(),
                     "hotlane: a pool for a reader and a worker cannot grow; give it its full capacity, or "
                     "share it with any_thread");
    }
}

// ---- all kinds ---------------------------------------------------------------------------------------------

TEST(PoolDeathTest, ReleaseBuildsNameAForeignThread) {
    const PoolOwner pool{hotlane_pool_create("foreign", 64, 4, 0)};
    void* const p = hotlane_pool_get(pool.get());
    hotlane_pool_put(pool.get(), hotlane_pool_get(pool.get()));
    EXPECT_DEATH(std::thread([&] { hotlane_pool_put(pool.get(), p); }).join(),
                 "pool \"foreign\": put by a thread that does not own the pool");
    EXPECT_DEATH(std::thread([&] { hotlane_pool_get(pool.get()); }).join(), "get by a thread");
    hotlane_pool_put(pool.get(), p);
}

void adopt(hotlane::buffer_pool& pool) { hotlane_pool_adopt(pool.c_pool()); }
void adopt(hotlane::pool_set& set) { hotlane_pool_set_adopt(set.c_set()); }

/// What every kind of pool promises: buffers at multiples of 64 that do not overlap, of the right size, as many as
/// its bound and no more; a buffer that is got again holds what it held; none is lost, also when an exception unwinds.
template <class Pool>
void check_promises(Pool& pool, size_t size, size_t capacity, size_t bound, bool returns_by_worker) {
    std::vector<hotlane::buffer> held;
    for (unsigned round = 0; round < 3; ++round) {
        while (hotlane::result<hotlane::buffer> one = pool.get(size)) {
            ASSERT_LT(held.size(), bound);
            EXPECT_EQ(one->size(), size);
            EXPECT_EQ(one->capacity(), capacity);
            EXPECT_EQ(reinterpret_cast<uintptr_t>(one->data()) % 64, 0U);
            const auto* const number = reinterpret_cast<unsigned*>(one->data());
            EXPECT_TRUE(round == 0 || is_stamped(number + 1, capacity - sizeof *number, *number));
            held.push_back(std::move(*one));
        }
        ASSERT_EQ(held.size(), bound) << "round " << round;
        for (unsigned i = 0; i < bound; ++i) {
            auto* const number = reinterpret_cast<unsigned*>(held[i].data());
            *number = i + 1;
            stamp(number + 1, capacity - sizeof *number, i + 1);
        }
        for (unsigned i = 0; i < bound; ++i) {
            const auto* const number = reinterpret_cast<unsigned*>(held[i].data());
            EXPECT_TRUE(*number == i + 1 && is_stamped(number + 1, capacity - sizeof *number, i + 1)) << i;
        }
        std::rotate(held.begin(), held.begin() + 1 + static_cast<ptrdiff_t>(bound / 3), held.end());
        returns_by_worker ? std::thread([&] { held.clear(); }).join() : held.clear();
        adopt(pool);  // the next worker of a ring may be another thread
    }
    for (size_t i = 0; i < 3 * bound; ++i) {
        try {
            hotlane::result<hotlane::buffer> first = pool.get(size);
            hotlane::result<hotlane::buffer> second = pool.get(size);
            ASSERT_TRUE(first && second);
            throw std::runtime_error("unwinds");
        } catch (const std::runtime_error&) {
        }
    }
}

using hotlane::sharing;

struct Kind {
    sharing shared;
    size_t max_capacity;  // 0: the pool does not grow
};
constexpr Kind kKinds[] = {{sharing::one_thread, 0},
                           {sharing::one_thread, 200},
                           {sharing::any_thread, 0},
                           {sharing::any_thread, 200},
                           {sharing::reader_and_worker, 0}};

TEST(PoolKinds, EachKeepsWhatPoolsPromise) {
    for (const Kind& kind : kKinds) {
        hotlane::buffer_pool pool{
            300,
            12,
            hotlane::on_exhausted::fail,
            {.name = "promises", .shared = kind.shared, .max_capacity = kind.max_capacity}};
        check_promises(pool, 300, 320, std::max<size_t>(12, kind.max_capacity),
                       kind.shared != sharing::one_thread);
        EXPECT_EQ(pool.in_use(), 0U);
    }
    EXPECT_EQ(of("promises").in_use, 0U);
    EXPECT_EQ(of("promises").gets, of("promises").puts);
}

TEST(PoolKinds, SetsOfEachKeepWhatPoolsPromise) {
    for (const Kind& kind : kKinds) {
        const hotlane::pool_class classes[] = {{64, 4, 0}, {320, 12, kind.max_capacity}};
        hotlane::pool_set set{
            "of each", classes, {.when_exhausted = hotlane::on_exhausted::fail, .shared = kind.shared}};
        check_promises(set, 300, 320, std::max<size_t>(12, kind.max_capacity),
                       kind.shared != sharing::one_thread);
    }
    EXPECT_EQ(of("of each/320").in_use, 0U);
    EXPECT_EQ(of("of each/64").gets, 0U) << "too small";
}

TEST(PoolKinds, ABufferPoolGrows) {
    hotlane::buffer_pool pool{256, 4, hotlane::on_exhausted::fail, {.name = "cpp", .max_capacity = 100}};
    std::vector<hotlane::buffer> held;
    while (hotlane::result<hotlane::buffer> one = pool.get()) {
        held.push_back(std::move(*one));
    }
    EXPECT_EQ(held.size(), 100U);
    EXPECT_EQ(pool.capacity(), 100U);
    EXPECT_EQ(pool.in_use(), 100U);
}

}  // namespace
