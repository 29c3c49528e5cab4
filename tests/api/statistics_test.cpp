// SPDX-License-Identifier: MIT
//
// Tests the counters through the interface: exact, counted from a moment that the program chooses, and in all
// three formats. Also the alarm, and warm-up.
#include "hotlane/hotlane.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <gtest/gtest.h>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

/// A class that nothing else in this process uses.
constexpr size_t kSize = 7000;
constexpr size_t kObjectSize = 7168;

TEST(Statistics, OfAClassAreExact) {
    hotlane_put(hotlane_get(kSize));
    hotlane_stats_reset();
    std::array<void*, 3> held{};
    for (int i = 0; i < 1000; ++i) {
        hotlane_put(hotlane_get(kSize));
    }
    for (void*& p : held) {
        p = hotlane_get(kSize);
    }
    const hotlane_class_statistics now = hotlane::class_statistics(kSize);
    EXPECT_EQ(now.object_size, kObjectSize);
    EXPECT_EQ(now.allocations, 1003U);
    EXPECT_EQ(now.frees, 1000U);
    EXPECT_EQ(now.hits + now.misses, now.allocations);
    EXPECT_EQ(now.live, 3U);
    EXPECT_EQ(now.bytes_reused, now.hits * kObjectSize);
    EXPECT_EQ(now.bytes_allocated, now.misses * kObjectSize);
    EXPECT_GT(now.hit_rate, 0.99);
    const hotlane_statistics all = hotlane::statistics();
    EXPECT_GE(all.allocations, now.allocations);
    EXPECT_GE(all.live_bytes, 3 * kObjectSize);
    EXPECT_GT(all.reuse_efficiency, 0.9);
    EXPECT_GE(all.threads, 1U);
    hotlane_stats_reset();
    EXPECT_EQ(hotlane::class_statistics(kSize).allocations, 0U);
    EXPECT_EQ(hotlane::class_statistics(kSize).live, 3U);
    EXPECT_EQ(hotlane::class_statistics(kSize).hit_rate, 1.0);
    for (void* p : held) {
        hotlane_put(p);
    }
    EXPECT_EQ(hotlane::class_statistics(kSize).frees, 3U);
}

TEST(Statistics, FreshBytesAreApartFromRecycledOnes) {
    constexpr size_t kFreshSize = 20'000;  // a class that nothing else uses
    constexpr size_t kFreshObject = 20'480;
    const auto now = [] { return hotlane::class_statistics(kFreshSize); };
    const uint64_t all_before = hotlane::statistics().bytes_fresh;
    for (int i = 0; i < 100; ++i) {
        hotlane_put(hotlane_get(kFreshSize));
    }
    const uint64_t first = now().bytes_fresh;
    EXPECT_GE(first, kFreshObject);
    EXPECT_LE(first, 8 * kFreshObject);  // what a refill takes
    EXPECT_EQ(now().bytes_recycled, 100 * kFreshObject - first);
    EXPECT_EQ(hotlane::statistics().bytes_fresh - all_before, first);
    std::vector<void*> held(200);
    for (int round = 0; round < 2; ++round) {
        for (void*& p : held) {
            p = hotlane_get(kFreshSize);
        }
        EXPECT_GE(now().bytes_fresh, 150 * kFreshObject);  // some pages may have belonged to another class
        EXPECT_LE(now().bytes_fresh, 210 * kFreshObject);
        for (void* p : held) {
            hotlane_put(p);
        }
    }
    hotlane_stats_reset();
    EXPECT_EQ(now().bytes_fresh, 0U);
}

TEST(Statistics, CountsOfThreadsThatEndedStay) {
    hotlane_stats_reset();
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([] {
            for (int i = 0; i < 5000; ++i) {
                hotlane_put(hotlane_get(kSize));
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(hotlane::class_statistics(kSize).allocations, 20'000U);
    EXPECT_EQ(hotlane::class_statistics(kSize).frees, 20'000U);
}

TEST(Statistics, OfAForkedChildAreOfItsOnlyThread) {
    std::atomic<int> step{0};
    std::thread other([&step] {
        hotlane_put(hotlane_get(kSize));
        step = 1;
        while (step == 1) {
            std::this_thread::yield();
        }
    });
    while (step == 0) {
        std::this_thread::yield();
    }
    EXPECT_GE(hotlane::statistics().threads, 2U);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        // What the other thread had cached is available to everybody, and its cache block can be reused.
        const bool alone = hotlane::statistics().threads == 1;
        std::thread([] { hotlane_put(hotlane_get(kSize)); }).join();
        _exit(alone && hotlane::statistics().threads == 1 ? 0 : 1);
    }
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    step = 2;
    other.join();
}

TEST(Statistics, GrowCompatibly) {
    hotlane_statistics all;
    std::memset(&all, 0x55, sizeof all);
    constexpr size_t kOlder = offsetof(hotlane_statistics, misses);
    EXPECT_EQ(hotlane_stats(&all, kOlder), sizeof all);
    EXPECT_EQ(all.misses, 0x5555555555555555U) << "beyond the size the caller gave";
    EXPECT_NE(all.allocations, 0x5555555555555555U);
    struct {
        hotlane_statistics known;
        uint64_t later;
    } newer{{}, 7};
    EXPECT_EQ(hotlane_stats(&newer.known, sizeof newer), sizeof newer.known);
    EXPECT_EQ(newer.later, 7U);
    hotlane_class_statistics of_class;
    EXPECT_EQ(hotlane_class_stats(65537, &of_class, sizeof of_class), 0U);
    hotlane_pool_statistics of_pool;
    EXPECT_EQ(hotlane_pool_stats("never", &of_pool, sizeof of_pool), 0U);
}

TEST(Statistics, InEveryFormat) {
    hotlane_put(hotlane_get(kSize));
    const hotlane::buffer_pool pool{4096, 4, hotlane::on_exhausted::fail, {.name = "a \"pool\""}};
    std::string out(64 << 10, '\0');
    const auto formatted = [&out](hotlane_format format) {
        return std::string(out.data(), hotlane_stats_format(out.data(), out.size(), format));
    };
    EXPECT_NE(formatted(HOTLANE_TEXT).find("hit rate"), std::string::npos);
    EXPECT_NE(
        formatted(HOTLANE_JSON).find("\"a \\\"pool\\\"\": {\"size\": 4096, \"pools\": 1, \"capacity\": 4"),
        std::string::npos);
    const std::string prometheus = formatted(HOTLANE_PROMETHEUS);
    EXPECT_NE(prometheus.find("hotlane_pool_capacity{pool=\"a \\\"pool\\\"\",program=\""), std::string::npos);
    EXPECT_NE(prometheus.find("hotlane_discards_total{class=\"7168\",program=\""), std::string::npos);
    char small[100];
    EXPECT_EQ(hotlane_stats_format(small, sizeof small, HOTLANE_JSON), 0U);
    EXPECT_STREQ(small, "");
    EXPECT_EQ(hotlane_stats_format(small, 0, HOTLANE_JSON), 0U);
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    EXPECT_EQ(hotlane_stats_print(ends[1], HOTLANE_TEXT), 0);
    EXPECT_GT(read(ends[0], small, sizeof small), 50);
    EXPECT_EQ(hotlane_stats_print(-1, HOTLANE_TEXT), -1);
}

TEST(Warmup, RequestsHitAndNoneIsCounted) {
    std::thread([] {
        hotlane_stats_reset();
        EXPECT_EQ(hotlane_warmup(kSize, 300), 300U);
        EXPECT_EQ(hotlane::class_statistics(kSize).allocations, 0U);
        std::vector<hotlane::buffer> held(200);
        for (hotlane::buffer& one : held) {
            one = hotlane::get(kSize);
        }
        EXPECT_EQ(hotlane::class_statistics(kSize).misses, 0U);
        EXPECT_EQ(hotlane_warmup(kSize, 50), 50U);  // in addition to what the cache holds
        held.resize(250);
        for (size_t i = 200; i < 250; ++i) {
            held[i] = hotlane::get(kSize);
        }
        EXPECT_EQ(hotlane::class_statistics(kSize).misses, 0U);
    }).join();
    EXPECT_EQ(hotlane_warmup(65537, 1), 0U);
    EXPECT_EQ(hotlane::class_statistics(kSize).live, 0U);
}

TEST(Warmup, OfThreadsToCome) {
    EXPECT_EQ(hotlane_warmup_threads(kSize, 20), 0);
    hotlane_stats_reset();
    for (int t = 0; t < 3; ++t) {
        std::thread([] {
            std::vector<hotlane::buffer> held(20);
            for (hotlane::buffer& one : held) {
                one = hotlane::get(kSize);
            }
        }).join();
    }
    EXPECT_EQ(hotlane::class_statistics(kSize).hits, 60U);
    EXPECT_EQ(hotlane_warmup_threads(65537, 1), -1);
    EXPECT_EQ(errno, EINVAL);
    for (size_t size = 64; size <= 15 * 64; size += 64) {
        EXPECT_EQ(hotlane_warmup_threads(size, 1), 0);
    }
    EXPECT_EQ(hotlane_warmup_threads(2048, 1), -1);
    EXPECT_EQ(errno, ENOSPC);
}

struct Heard {
    std::atomic<int> times{0};
    double rate = 1;
    uint64_t object_size = 0;
};

TEST(Alarm, IsRaisedWhenFewRequestsHitAndNotOtherwise) {
    Heard heard;
    hotlane_alarm_set(
        0.9, 100,
        [](double rate, const hotlane_class_statistics* worst, void* context) {
            auto& heard = *static_cast<Heard*>(context);
            heard.rate = rate;
            heard.object_size = worst->object_size;
            ++heard.times;
        },
        &heard);
    const auto until = [&heard](std::chrono::milliseconds time, auto work) {
        const auto end = std::chrono::steady_clock::now() + time;
        while (std::chrono::steady_clock::now() < end && heard.times == 0) {
            work();
        }
    };
    until(std::chrono::milliseconds(600), [] { hotlane_put(hotlane_get(kSize)); });
    EXPECT_EQ(heard.times, 0);
    until(std::chrono::seconds(10), [] {
        hotlane_put(hotlane_get(kSize));
        hotlane_thread_flush();  // so that the next request misses
    });
    hotlane_alarm_set(0, 0, nullptr, nullptr);
    EXPECT_GT(heard.times, 0);
    EXPECT_LT(heard.rate, 0.9);
    EXPECT_EQ(heard.object_size, kObjectSize);
}

}  // namespace
