// SPDX-License-Identifier: MIT
//
// Tests sets of pools and the pools of a service's messages. Compiled with the checks of debug builds.
#define HOTLANE_POOL_CHECKS 1
#include "hotlane/hotlane.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <gtest/gtest.h>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using hotlane::buffer;
using hotlane::error;
using hotlane::on_exhausted;
using hotlane::pool_class;
using hotlane::pool_set;
using hotlane::result;

hotlane_pool_statistics of(const char* name) { return hotlane::pool_statistics(name); }

constexpr std::array<pool_class, 4> kClasses{{{1024, 2, 0}, {128, 4, 0}, {500, 3, 0}, {128, 1, 0}}};

TEST(PoolSet, EachSizeGetsTheSmallestClassThatHoldsIt) {
    pool_set set{"each", kClasses, {.when_exhausted = on_exhausted::fail}};
    EXPECT_EQ(set.class_count(), 3U);
    for (std::size_t size = 0; size <= 1024; ++size) {
        const result<buffer> one = set.get(size);
        ASSERT_TRUE(one.has_value()) << size;
        result<buffer> copy = set.get(size);
        EXPECT_EQ(copy->size(), size);
        EXPECT_EQ(copy->capacity(), size <= 128 ? 128U : size <= 512 ? 512U : 1024U) << size;
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(copy->data()) % 64, 0U);
    }
    EXPECT_EQ(set.get(1025).error(), error::invalid_size);
    EXPECT_EQ(set.get(SIZE_MAX).error(), error::invalid_size);
    errno = 0;
    EXPECT_EQ(hotlane_pool_set_get(set.c_set(), 1025), nullptr);
    EXPECT_EQ(errno, EMSGSIZE);
}

TEST(PoolSet, LargeClassesNeedNoTable) {
    constexpr std::array<pool_class, 3> classes{{{64, 2, 0}, {100'000, 2, 0}, {1'000'000, 2, 0}}};
    pool_set set{"large", classes, {.when_exhausted = on_exhausted::fail}};
    EXPECT_EQ(set.get(60)->capacity(), 64U);
    EXPECT_EQ(set.get(65)->capacity(), 100'032U);
    EXPECT_EQ(set.get(70'000)->capacity(), 100'032U);
    EXPECT_EQ(set.get(100'033)->capacity(), 1'000'000U);
    EXPECT_EQ(set.get(1'000'001).error(), error::invalid_size);
    void* const p = hotlane_pool_set_get(set.c_set(), 100'033);
    std::memset(p, 1, 1'000'000);
    hotlane_pool_set_put(set.c_set(), p);
    EXPECT_EQ(of("large/1000000").in_use, 0U);
}

TEST(PoolSet, AnEmptyClassBorrowsFromTheNextLarger) {
    pool_set set{"borrow", kClasses, {.when_exhausted = on_exhausted::fail}};
    std::vector<buffer> held;
    while (result<buffer> one = set.get(10)) {
        std::memset(one->data(), static_cast<int>(held.size()), one->capacity());
        held.push_back(std::move(*one));
    }
    EXPECT_EQ(held.size(), 10U) << "all buffers of all classes, and no more";
    EXPECT_EQ(of("borrow/128").exhausted, 6U);
    EXPECT_EQ(of("borrow/512").gets, 3U);
    EXPECT_EQ(of("borrow/1024").gets, 2U);
    for (std::size_t i = 0; i < held.size(); ++i) {
        const auto* const bytes = held[i].data();
        EXPECT_EQ(std::count(bytes, bytes + 128, std::byte(i)), 128);
    }
    held.clear();
    for (const char* name : {"borrow/128", "borrow/512", "borrow/1024"}) {
        EXPECT_EQ(of(name).in_use, 0U);
    }
}

TEST(PoolSet, BeyondAllClassesTheAllocatorServes) {
    pool_set set{"falls", kClasses};
    std::vector<buffer> held;
    for (int i = 0; i < 15; ++i) {
        result<buffer> one = set.get(300);
        ASSERT_TRUE(one.has_value());
        std::memset(one->data(), i, one->capacity());
        held.push_back(std::move(*one));
    }
    EXPECT_EQ(of("falls/512").fallbacks, 10U);
    held.clear();
    void* mixed[8];
    for (void*& p : mixed) {
        p = hotlane_pool_set_get(set.c_set(), 600);
        ASSERT_NE(p, nullptr);
    }
    for (void* p : mixed) {
        hotlane_pool_set_put(set.c_set(), p);
    }
    hotlane_pool_set_put(set.c_set(), nullptr);
    EXPECT_EQ(of("falls/1024").fallbacks, 6U);
}

TEST(PoolSet, NoCapacityMeansTheAllocator) {
    constexpr std::array<pool_class, 2> classes{{{128, 0, 0}, {256, 0, 0}}};
    pool_set set{"none", classes};
    const std::uint64_t before = hotlane::statistics().live_bytes;
    {
        result<buffer> one = set.get(100);
        ASSERT_TRUE(one.has_value());
        EXPECT_EQ(one->capacity(), 128U);
        EXPECT_EQ(set.get(257).error(), error::invalid_size);
    }
    EXPECT_EQ(hotlane::statistics().live_bytes, before);
    EXPECT_EQ(of("none/128").fallbacks, 1U);
    EXPECT_EQ(of("none/128").capacity, 0U);
}

TEST(PoolSet, LimitsAndImpossibleClassesAreRefused) {
    const auto fails = [](std::vector<pool_class> classes, std::size_t limit, int error) {
        const hotlane_pool_set_settings settings{"refused", classes.data(), classes.size(), 0, limit, 0};
        errno = 0;
        EXPECT_EQ(hotlane_pool_set_create(&settings, sizeof settings), nullptr);
        EXPECT_EQ(errno, error);
    };
    fails({}, 0, EINVAL);
    fails(std::vector<pool_class>(65, {64, 1, 0}), 0, EINVAL);
    fails({{0, 1, 0}}, 0, EINVAL);
    fails({{SIZE_MAX, 1, 0}}, 0, EINVAL);
    fails({{64, SIZE_MAX, 0}}, 0, EINVAL);
    fails({{64, SIZE_MAX, 0}, {64, 1, 0}}, 0, EINVAL);
    fails({{std::size_t{1} << 61U, 2, 0}, {std::size_t{1} << 62U, 1, 0}}, 0, EINVAL);
    fails({{128, 8, 0}, {256, 4, 0}}, 2047, EDQUOT);
    constexpr std::array<pool_class, 2> classes{{{128, 8, 0}, {256, 4, 0}}};
    EXPECT_NO_THROW(pool_set("fits", classes, {.memory_limit = 2048}));
    EXPECT_THROW(pool_set("refused", classes, {.memory_limit = 2047}), std::bad_alloc);
}

TEST(PoolSet, ClassesGrowUnderOneBound) {
    constexpr std::array<pool_class, 2> classes{{{4096, 4, 1000}, {8192, 4, 1000}}};
    pool_set set{"grows", classes, {.when_exhausted = on_exhausted::fail, .memory_limit = 1 << 20}};
    std::vector<buffer> held;
    while (result<buffer> one = set.get(4096)) {
        std::memset(one->data(), static_cast<int>(held.size() % 251), one->capacity());
        held.push_back(std::move(*one));
    }
    const std::size_t bytes = of("grows/4096").capacity * 4096 + of("grows/8192").capacity * 8192;
    EXPECT_GT(bytes, 512U << 10U);
    EXPECT_LE(bytes, 1U << 20U);
    for (std::size_t i = 0; i < held.size(); ++i) {
        const auto* const at = held[i].data();
        EXPECT_EQ(std::count(at, at + 4096, std::byte(i % 251)), 4096);
    }
}

TEST(PoolSet, ASharedSetServesAllThreads) {
    constexpr std::array<pool_class, 2> classes{{{128, 4, 0}, {256, 4, 0}}};
    pool_set set{"all threads",
                 classes,
                 {.when_exhausted = on_exhausted::fallback, .shared = hotlane::sharing::any_thread}};
    std::atomic<int> damaged{0};
    std::vector<std::thread> threads;
    for (int number = 0; number < 4; ++number) {
        threads.emplace_back([&, number] {
            for (std::size_t i = 0; i < 5000; ++i) {
                result<buffer> one = set.get(1 + i % 256);
                result<buffer> two = set.get(1 + i * 7 % 256);
                std::memset(one->data(), number, one->capacity());
                std::memset(two->data(), number, two->capacity());
                const auto* const bytes = one->data();
                damaged += std::count(bytes, bytes + one->capacity(), std::byte(number)) !=
                           static_cast<long>(one->capacity());
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(damaged, 0);
    const hotlane_pool_statistics small = of("all threads/128");
    const hotlane_pool_statistics large = of("all threads/256");
    EXPECT_EQ(small.gets + small.fallbacks + large.gets + large.fallbacks, 40'000U);
    EXPECT_EQ(small.in_use + large.in_use, 0U);
}

/// As frame_reader and its worker use it: the reader gets buffers of several classes, and the worker puts them.
TEST(PoolSet, AReaderAndAWorkerShareASetOfRings) {
    constexpr std::array<pool_class, 2> classes{{{128, 4, 0}, {256, 4, 0}}};
    constexpr std::size_t kBuffers = 50'000;
    pool_set set{"fits",
                 classes,
                 {.when_exhausted = on_exhausted::fallback, .shared = hotlane::sharing::reader_and_worker}};
    std::array<std::atomic<buffer*>, 16> queue{};
    std::atomic<int> damaged{0};
    std::thread worker([&] {
        for (std::size_t i = 0; i < kBuffers; ++i) {
            buffer* one = nullptr;
            while ((one = queue[i % 16].exchange(nullptr)) == nullptr) {
                std::this_thread::yield();
            }
            damaged += std::count(one->data(), one->data() + one->size(), std::byte(i)) !=
                       static_cast<long>(one->size());
            delete one;  // puts it back
        }
    });
    for (std::size_t i = 0; i < kBuffers; ++i) {
        result<buffer> one = set.get(1 + i * 7 % 256);
        std::memset(one->data(), static_cast<int>(i), one->size());
        auto* const sent = new buffer{std::move(*one)};
        while (queue[i % 16].load() != nullptr) {
            std::this_thread::yield();
        }
        queue[i % 16].store(sent);
    }
    worker.join();
    EXPECT_EQ(damaged, 0);
    const hotlane_pool_statistics small = of("fits/128");
    const hotlane_pool_statistics large = of("fits/256");
    EXPECT_EQ(small.gets + small.fallbacks + large.gets + large.fallbacks, kBuffers);
    EXPECT_EQ(small.in_use + large.in_use, 0U);
    std::vector<buffer> all;
    pool_set strict{"fits",
                    classes,
                    {.when_exhausted = on_exhausted::fail, .shared = hotlane::sharing::reader_and_worker}};
    while (result<buffer> one = strict.get(1)) {
        all.push_back(std::move(*one));
    }
    EXPECT_EQ(all.size(), 8U) << "the larger class helps out";
    std::thread([&] { all.clear(); }).join();
    EXPECT_EQ(strict.get(1)->capacity(), 128U);
    EXPECT_EQ(of("fits/128").in_use + of("fits/256").in_use, 0U);
}

TEST(PoolSet, ASetOfRingsCannotGrowAndSaysSo) {
    constexpr std::array<pool_class, 2> classes{{{128, 4, 0}, {256, 4, 8}}};
    try {
        pool_set set{"no", classes, {.shared = hotlane::sharing::reader_and_worker}};
        FAIL();
    } catch (const std::bad_alloc& e) {
        EXPECT_TRUE(
            std::string{e.what()}.starts_with("hotlane: a pool for a reader and a worker cannot grow"));
    }
}

TEST(PoolSet, ClassesOfASharedSetGrowUnderOneBound) {
    constexpr std::array<pool_class, 2> classes{{{4096, 0, 1000}, {8192, 4, 1000}}};
    pool_set set{"grows",
                 classes,
                 {.when_exhausted = on_exhausted::fail,
                  .shared = hotlane::sharing::any_thread,
                  .memory_limit = 1 << 20}};
    std::array<std::vector<buffer>, 4> held;
    std::vector<std::thread> threads;
    for (std::vector<buffer>& own : held) {
        threads.emplace_back([&] {
            while (result<buffer> one = set.get(4096)) {
                std::memset(one->data(), 7, one->capacity());
                own.push_back(std::move(*one));
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    const std::size_t bytes = of("grows/4096").capacity * 4096 + of("grows/8192").capacity * 8192;
    EXPECT_GT(bytes, 512U << 10U);
    EXPECT_LE(bytes, 1U << 20U);
    EXPECT_EQ(held[0].size() + held[1].size() + held[2].size() + held[3].size(),
              of("grows/4096").capacity + of("grows/8192").capacity);
}

TEST(PoolSet, ClearsOnGetAndOnPut) {
    constexpr std::array<pool_class, 1> classes{{{128, 1, 0}}};
    for (const hotlane::clear when : {hotlane::clear::on_get, hotlane::clear::on_put}) {
        pool_set set{"clears", classes, {.clear = when}};
        for (int i = 0; i < 2; ++i) {
            result<buffer> one = set.get(100);
            EXPECT_EQ(std::count(one->data(), one->data() + 128, std::byte{0}), 128);
            std::memset(one->data(), 0xFF, 128);
        }
    }
}

TEST(PoolSetDeathTest, MistakesAreNamed) {
    pool_set set{"set", kClasses};
    void* const p = hotlane_pool_set_get(set.c_set(), 10);
    hotlane_pool_set_put(set.c_set(), p);
    int outside = 0;
    EXPECT_DEATH(hotlane_pool_set_put(set.c_set(), p),
                 "pool \"set/128\": put\\(0x[0-9a-f]+\\): the object is free");
    EXPECT_DEATH(hotlane_pool_set_put(set.c_set(), &outside), "not an object of this pool");
    EXPECT_DEATH(std::thread([&] { hotlane_pool_set_get(set.c_set(), 10); }).join(), "does not own the pool");
    std::thread([&] {
        hotlane_pool_set_adopt(set.c_set());
        hotlane_pool_set_put(set.c_set(), hotlane_pool_set_get(set.c_set(), 1000));
    }).join();
}

TEST(PoolSetDeathTest, DestroyedWithBuffersOutItSaysHowMany) {
    const hotlane_pool_set_settings settings{"leaky set", kClasses.data(), kClasses.size(), 0, 0, 0};
    hotlane_pool_set* const set = hotlane_pool_set_create(&settings, sizeof settings);
    auto* const kept = static_cast<char*>(hotlane_pool_set_get(set, 10));
    hotlane_pool_set_get(set, 1000);
    EXPECT_EXIT(hotlane_pool_set_destroy(set);
                _exit(0), testing::ExitedWithCode(0), "destroyed with 2 objects outstanding\n");
    hotlane_pool_set_destroy(set);
    kept[0] = 1;
    hotlane_pool_set_destroy(nullptr);
}

// ---- messages ----------------------------------------------------------------------------------------------

struct SwapEvent {
    static constexpr const char* name = "SwapEvent";
    static constexpr std::uint16_t type_id = 1;
    static constexpr std::uint32_t max_size = 84;
    static constexpr std::uint32_t buffer_class = 128;
};
struct PoolStateUpdate {
    static constexpr std::string_view name = "PoolStateUpdate";
    static constexpr std::uint16_t type_id = 2;
    static constexpr std::uint32_t max_size = 300;
    static constexpr std::uint32_t buffer_class = 512;
};
constexpr std::array<hotlane::message_row, 2> kMessages{
    {{"SwapEvent", 1, 84, 128}, {"PoolStateUpdate", 2, 300, 512}}};
constexpr std::array<pool_class, 2> kServiceClasses{{{128, 8, 0}, {512, 4, 0}}};
hotlane::service_row adapter{.name = "adapter",
                             .messages = kMessages,
                             .classes = kServiceClasses,
                             .options = {.when_exhausted = on_exhausted::fail}};
const hotlane::service_registration adapter_registered{adapter};
hotlane::service_row off{.name = "off", .messages = kMessages, .classes = kServiceClasses, .enabled = false};
const hotlane::service_registration off_registered{off};

class adapter_pools : public hotlane::message_pools<SwapEvent, PoolStateUpdate> {
  public:
    adapter_pools() : message_pools{adapter} {}
};

TEST(MessagePools, EachMessageHasItsClass) {
    adapter_pools pools;
    result<buffer> swap = pools.get<SwapEvent>();
    EXPECT_EQ(swap->size(), 84U);
    EXPECT_EQ(swap->capacity(), 128U);
    EXPECT_EQ(pools.get<PoolStateUpdate>()->capacity(), 512U);
    EXPECT_EQ(pools.get(129)->capacity(), 512U);
    EXPECT_EQ(pools.messages().size(), 2U);
    EXPECT_EQ(pools.name(), "adapter");
    EXPECT_EQ(of("adapter/128").gets, 1U);
}

TEST(MessagePools, AServiceIsFoundByItsName) {
    hotlane::service_pools pools = hotlane::from_service("adapter");
    EXPECT_EQ(pools.get(100)->capacity(), 128U);
    try {
        hotlane::from_service("adaptor");
        FAIL();
    } catch (const std::invalid_argument& e) {
        EXPECT_STREQ(e.what(),
                     "hotlane: no service \"adaptor\" in the headers of this program; there are \"off\", "
                     "\"adapter\"");
    }
}

TEST(MessagePools, ADisabledServiceReservesNothing) {
    hotlane::service_pools pools = hotlane::from_service("off");
    EXPECT_EQ(pools.get(100)->capacity(), 128U);
    EXPECT_EQ(of("off/128").capacity, 0U);
    EXPECT_EQ(of("off/128").fallbacks, 1U);
}

}  // namespace
