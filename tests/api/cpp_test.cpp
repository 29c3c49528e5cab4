// SPDX-License-Identifier: MIT
//
// Tests the C++ interface: ownership, on every path.
#include "hotlane/hotlane.hpp"

#include <array>
#include <atomic>
#include <cstring>
#include <gtest/gtest.h>
#include <list>
#include <memory_resource>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using hotlane::error;

uint64_t live(size_t size) { return hotlane::class_statistics(size).live; }

bool is_zero(const void* p, size_t n) {
    const auto* bytes = static_cast<const unsigned char*>(p);
    return std::all_of(bytes, bytes + n, [](unsigned char byte) { return byte == 0; });
}

TEST(Buffer, IsAlignedAndMayBeUsedToItsCapacity) {
    for (size_t size = 0; size < 300'000; size = size * 5 / 4 + 1) {
        hotlane::buffer buffer = hotlane::get(size);
        EXPECT_EQ(reinterpret_cast<uintptr_t>(buffer.data()) % 64, 0U) << size;
        EXPECT_EQ(buffer.size(), size);
        EXPECT_GE(buffer.capacity(), size);
        std::memset(buffer.data(), 1, buffer.capacity());
        EXPECT_TRUE(buffer.resize(buffer.capacity()));
        EXPECT_FALSE(buffer.resize(buffer.capacity() + 1));
        EXPECT_EQ(buffer.span().size(), buffer.capacity());
    }
}

TEST(Buffer, ReturnsOnEveryPath) {
    const uint64_t before = live(2000);
    {
        hotlane::buffer first = hotlane::get(2000);
        hotlane::buffer second = std::move(first);
        EXPECT_FALSE(first);
        first = hotlane::get(2000);
        second = std::move(first);
        EXPECT_EQ(live(2000), before + 1);
        auto& same = second;
        second = std::move(same);
        EXPECT_TRUE(second);
    }
    EXPECT_THROW(
        {
            hotlane::buffer buffer = hotlane::get(2000);
            throw std::runtime_error("on its way");
        },
        std::runtime_error);
    std::thread([buffer = hotlane::get(2000)] { EXPECT_TRUE(buffer); }).join();
    EXPECT_EQ(live(2000), before);
}

TEST(Buffer, ReleasedZeroedItIsClearedToItsCapacity) {
    hotlane::buffer secret = hotlane::get(100);
    std::byte* const place = secret.data();
    std::memset(place, 0xA5, secret.capacity());
    secret.release_zeroed();
    EXPECT_FALSE(secret);
    const hotlane::buffer again = hotlane::get(100);
    ASSERT_EQ(again.data(), place);
    EXPECT_TRUE(is_zero(place, 128));
    secret.release_zeroed();  // does nothing
}

TEST(Buffer, NoMemoryIsAnExceptionOrAValue) {
    EXPECT_THROW(hotlane::get(SIZE_MAX / 2 + 1), std::bad_alloc);
    EXPECT_EQ(hotlane::try_get(SIZE_MAX).error(), error::out_of_memory);
    EXPECT_TRUE(hotlane::try_get(10).has_value());
    EXPECT_EQ(hotlane_get_aligned(48, 10), nullptr);
    void* const page = hotlane_get_aligned(4096, 10);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(page) % 4096, 0U);
    hotlane_put(page);
}

TEST(BufferPool, ErrorsAreValues) {
    hotlane::buffer_pool pool{1000, 2, hotlane::on_exhausted::fail, {.name = "two"}};
    EXPECT_EQ(pool.get(1001).error(), error::invalid_size);
    auto a = pool.get();
    auto b = pool.get(10);
    EXPECT_EQ(a->capacity(), 1024U);
    EXPECT_EQ(b->size(), 10U);
    EXPECT_EQ(pool.available(), 0U);
    EXPECT_EQ(pool.get().error(), error::exhausted);
    EXPECT_FALSE(pool.get());
    a->release_zeroed();
    EXPECT_EQ(pool.in_use(), 1U);
    EXPECT_THROW((hotlane::buffer_pool{0, 1}), std::bad_alloc);
}

TEST(BufferPool, ClearsWhenAsked) {
    for (const hotlane::clear when : {hotlane::clear::on_get, hotlane::clear::on_put}) {
        hotlane::buffer_pool pool{192, 1, hotlane::on_exhausted::fail, {.clear = when}};
        for (int i = 0; i < 2; ++i) {
            auto buffer = pool.get();
            EXPECT_TRUE(is_zero(buffer->data(), buffer->capacity()));
            std::memset(buffer->data(), 1, buffer->capacity());
        }
    }
}

struct Counted {
    static inline int alive = 0;
    static inline int resets = 0;
    static inline int throw_at = -1;
    explicit Counted(int value = 0) : value{value} {
        if (alive == throw_at) {
            throw std::runtime_error("no more");
        }
        ++alive;
    }
    ~Counted() { --alive; }
    Counted(const Counted&) = delete;
    void reset() { ++resets; }
    int value;
};

TEST(ObjectPool, ObjectsAreConstructedOnceAndResetEachTime) {
    {
        hotlane::object_pool<Counted, &Counted::reset> pool{3, "objects", 42};
        EXPECT_EQ(Counted::alive, 3);
        for (int i = 0; i < 10; ++i) {
            EXPECT_EQ((*pool.get())->value, 42);
        }
        EXPECT_EQ(Counted::resets, 10);
        auto a = pool.get();
        auto b = pool.get();
        auto c = pool.get();
        EXPECT_EQ(pool.get().error(), error::exhausted);
        EXPECT_EQ(pool.in_use(), pool.capacity());
    }
    EXPECT_EQ(Counted::alive, 0);
    Counted::throw_at = 2;
    EXPECT_THROW((hotlane::object_pool<Counted>{3}), std::runtime_error);
    Counted::throw_at = -1;
    EXPECT_EQ(Counted::alive, 0);
}

TEST(FixedPool, ConstructsAndDestroys) {
    hotlane::fixed_pool<Counted, 2> pool{"fixed"};
    {
        auto a = pool.get(1);
        auto b = pool.get(2);
        EXPECT_EQ((*a)->value + (*b)->value, 3);
        EXPECT_EQ(pool.get(3).error(), error::exhausted);
        EXPECT_EQ(Counted::alive, 2);
    }
    EXPECT_EQ(Counted::alive, 0);
    Counted::throw_at = 0;
    EXPECT_THROW(static_cast<void>(pool.get(4)), std::runtime_error);
    Counted::throw_at = -1;
    EXPECT_EQ(pool.in_use(), 0U);
}

TEST(RecordPool, RecordsRiseAreTakenBackAtOnceAndEndWithThePool) {
    struct Record {
        uint64_t number;
        char rest[1000];
    };
    constexpr size_t kPoolSize = 45'000;  // of the class that a pool of 40 objects of 1 KiB is allocated from
    const uint64_t pools_before = live(kPoolSize);
    testing::internal::CaptureStderr();
    {
        hotlane::record_pool<Record, 40> pool{"records"};
        for (int round = 0; round < 2; ++round) {
            Record* const first = *pool.get();
            for (int i = 1; i < 40; ++i) {
                Record* const next = *pool.get();
                EXPECT_EQ(reinterpret_cast<char*>(next) - reinterpret_cast<char*>(first), i * 1024);
                EXPECT_EQ(next->number, 0U);
                next->number = 7;
            }
            EXPECT_EQ(pool.get().error(), error::exhausted);
            pool.reset();
            EXPECT_EQ(pool.in_use(), 0U);
        }
        EXPECT_TRUE(pool.get());
        EXPECT_EQ(live(kPoolSize), pools_before + 1);
        auto moved = std::move(pool);
        EXPECT_EQ(moved.in_use(), 1U);
    }
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
    EXPECT_EQ(live(kPoolSize), pools_before) << "its memory is free again";
}

TEST(BlockPool, ZeroedAlignedNumbers) {
    hotlane::block_pool<float, 32> pool{
        100, 2, hotlane::on_exhausted::fail, {.clear = hotlane::clear::on_put}};
    for (int i = 0; i < 3; ++i) {
        auto block = pool.get();
        EXPECT_EQ(block->size(), 100U);
        EXPECT_EQ(reinterpret_cast<uintptr_t>(block->data()) % 64, 0U);
        EXPECT_TRUE(is_zero(block->data(), 400));
        std::ranges::fill(block->span(), 1.0F);
    }
}

TEST(Arena, GrowsAlignsAndReleasesAsAWhole) {
    hotlane::arena arena{1000, 1 << 20};
    const size_t at_first = arena.capacity();
    std::vector<char*> places;
    for (size_t i = 1; i < 600; ++i) {
        const size_t align = size_t{1} << (i % 9);
        auto* const p = static_cast<char*>(arena.allocate(i, align));
        EXPECT_EQ(reinterpret_cast<uintptr_t>(p) % align, 0U);
        std::memset(p, static_cast<int>(i), i);
        places.push_back(p);
    }
    for (size_t i = 1; i < 600; ++i) {
        EXPECT_EQ(places[i - 1][0], static_cast<char>(i));
        EXPECT_EQ(places[i - 1][i - 1], static_cast<char>(i));
    }
    EXPECT_GE(arena.used(), 599U * 600 / 2);
    EXPECT_GE(arena.capacity(), arena.used());
    EXPECT_THROW(static_cast<void>(arena.allocate(1 << 20)), std::bad_alloc);
    volatile size_t impossible = SIZE_MAX - 8;  // volatile, so that the compiler does not warn
    EXPECT_THROW(static_cast<void>(arena.allocate(impossible)), std::bad_alloc);
    EXPECT_NE(arena.allocate(300'000), nullptr);  // larger than a page
    arena.release();
    EXPECT_EQ(arena.used(), 0U);
    EXPECT_EQ(arena.capacity(), at_first);
    EXPECT_EQ(arena.allocate(1, 1), places[0]);
}

TEST(Arena, TheStatisticsHaveItByItsName) {
    constexpr size_t kPage = hotlane::arena::growth;
    EXPECT_EQ(hotlane::arena_statistics("requests").created, 0U);
    {
        hotlane::arena one{kPage, 4 * kPage, "requests"};
        hotlane::arena two{1000, kPage, "requests"};
        EXPECT_EQ(hotlane::arena_statistics("requests").arenas, 2U);
        static_cast<void>(one.allocate(2 * kPage));
        EXPECT_EQ(hotlane::arena_statistics("requests").bytes, one.capacity() + two.capacity());
        EXPECT_THROW(static_cast<void>(two.allocate(kPage)), std::bad_alloc);
        one.release();
        EXPECT_EQ(hotlane::arena_statistics("requests").bytes, kPage + 1000);
    }
    const hotlane_arena_statistics now = hotlane::arena_statistics("requests");
    EXPECT_STREQ(now.name, "requests");
    EXPECT_EQ(now.arenas, 0U);
    EXPECT_EQ(now.created, 2U);
    EXPECT_EQ(now.bytes, 0U);
    EXPECT_GT(now.largest, 3 * kPage);
    EXPECT_EQ(now.peak_bytes, now.largest + 1000);
    EXPECT_EQ(now.refused, 1U);
    std::string text(64U << 10U, '\0');
    text.resize(hotlane_stats_format(text.data(), text.size(), HOTLANE_JSON));
    EXPECT_NE(text.find("\"requests\": {\"arenas\": 0, \"created\": 2, \"bytes\": 0, "), std::string::npos)
        << text;
}

TEST(Arena, ThoseOfAPoolCountAsItsObjects) {
    const uint64_t before = hotlane::arena_statistics("unnamed").created;
    hotlane::arena_pool pool{4, "pooled arenas"};
    EXPECT_EQ(hotlane::arena_statistics("unnamed").created, before);
    const hotlane::arena other;
    EXPECT_EQ(hotlane::arena_statistics("unnamed").created, before + 1);
    EXPECT_GT(hotlane::pool_statistics("pooled arenas").object_size, hotlane::arena::growth);
}

TEST(Arena, ManyThreadsAndNamesAreCounted) {
    const uint64_t before = hotlane::arena_statistics("others").created;
    std::vector<std::thread> threads;
    for (int number = 0; number < 4; ++number) {
        threads.emplace_back([&] {
            for (int i = 0; i < 200; ++i) {
                const std::string name = "arena " + std::to_string(i % 20);
                hotlane::arena one{1000, SIZE_MAX, name.c_str()};
                static_cast<void>(one.allocate(2000));
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    uint64_t created = hotlane::arena_statistics("others").created - before;
    EXPECT_GE(created, 4U * 6 * 10) << "there are 14 names at most";
    for (int i = 0; i < 20; ++i) {
        created += hotlane::arena_statistics(("arena " + std::to_string(i)).c_str()).created;
    }
    EXPECT_EQ(created, 800U);
    EXPECT_EQ(hotlane::arena_statistics("others").bytes, 0U);
}

TEST(Arena, ItsPagesStayWithinTheLimit) {
    constexpr size_t kLimit = 4 * hotlane::arena::growth;
    hotlane::arena arena{hotlane::arena::growth, kLimit};
    size_t served = 0;
    try {
        for (; served < 100; ++served) {
            static_cast<void>(arena.allocate(hotlane::arena::growth / 2));
        }
    } catch (const std::bad_alloc&) {
        EXPECT_LE(arena.capacity(), kLimit);
    }
    EXPECT_GE(served, 4U);
    EXPECT_LT(served, 100U);
}

TEST(ArenaPool, ALeaseEndsWithAnEmptyArena) {
    hotlane::arena_pool arenas{1, "arenas", 4096};
    for (int i = 0; i < 3; ++i) {
        auto lease = std::move(*arenas.get());
        EXPECT_EQ(arenas.get().error(), error::exhausted);
        EXPECT_EQ(lease->used(), 0U);
        std::pmr::vector<int> numbers(10'000, 7, lease.get());
        EXPECT_EQ(numbers.back(), 7);
    }
}

TEST(BufferPool, TakesANamedShape) {
    const hotlane::buffer_pool pool{hotlane::load::high, hotlane::on_exhausted::fail, {.name = "high load"}};
    EXPECT_EQ(pool.buffer_size(), 8192U);
    EXPECT_EQ(pool.capacity(), 32U);
    EXPECT_EQ(hotlane::buffer_pool{hotlane::load::low}.bytes(), 8U * 2048);
    EXPECT_EQ(hotlane::buffer_pool{hotlane::load::medium}.bytes(), 16U * 4096);
    EXPECT_EQ(hotlane::buffer_pool{hotlane::load::extreme}.bytes(), 64U * 16384);
}

TEST(ArenaPool, ItsMemoryIsTold) {
    constexpr size_t kFirst = 4096;
    const auto now = [] { return hotlane::pool_statistics("told arenas"); };
    {
        hotlane::arena_pool arenas{2, "told arenas", kFirst};
        const uint64_t at_first = now().bytes;
        EXPECT_GT(now().object_size, kFirst);
        EXPECT_EQ(at_first, 2 * now().object_size);
        {
            auto lease = std::move(*arenas.get());
            EXPECT_NE(lease->allocate(hotlane::arena::growth - 100, 1), nullptr);
            EXPECT_NE(lease->allocate(hotlane::arena::growth - 100, 1), nullptr);
            EXPECT_EQ(lease->peak(), kFirst + 2 * hotlane::arena::growth);
            EXPECT_EQ(now().bytes, at_first + 2 * hotlane::arena::growth);
        }
        EXPECT_EQ(now().bytes, at_first);
        EXPECT_EQ(now().peak_bytes, at_first + 2 * hotlane::arena::growth);
    }
    EXPECT_EQ(now().bytes, 0U);
    EXPECT_GT(now().peak_bytes, 2 * hotlane::arena::growth);
}

TEST(ArenaPool, IsItselfTheResourceOfItsNewestLease) {
    hotlane::arena_pool arenas{3, "nested", 4096};
    std::pmr::memory_resource& resource = arenas;
    EXPECT_THROW(static_cast<void>(resource.allocate(1)), std::bad_alloc);
    auto outer = std::move(*arenas.get());
    static_cast<void>(resource.allocate(100));
    EXPECT_GE(outer->used(), 100U);
    const size_t used = outer->used();
    auto middle = std::move(*arenas.get());
    auto inner = std::move(*arenas.get());
    EXPECT_EQ(arenas.in_use(), 3U);
    static_cast<void>(resource.allocate(200));
    EXPECT_GE(inner->used(), 200U);
    middle.reset();  // not the newest lease
    static_cast<void>(resource.allocate(200));
    EXPECT_GE(inner->used(), 400U);
    inner.reset();
    EXPECT_EQ(outer->used(), used);
    static_cast<void>(resource.allocate(100));
    EXPECT_GT(outer->used(), used);
    EXPECT_TRUE(resource.is_equal(arenas));
    outer.reset();
    EXPECT_EQ(arenas.in_use(), 0U);
    EXPECT_THROW(static_cast<void>(resource.allocate(1)), std::bad_alloc);
}

TEST(Allocator, ContainersUseTheHotLane) {
    std::vector<uint64_t, hotlane::allocator<uint64_t>> numbers(100, 7);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(numbers.data()) % 64, 0U);
    std::list<int, hotlane::allocator<int>> list(10, 3);
    EXPECT_EQ(list.size(), 10U);
    struct alignas(256) Wide {
        char bytes[256];
    };
    std::vector<Wide, hotlane::allocator<Wide>> wide(5);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(wide.data()) % 256, 0U);
    std::pmr::string text(1000, 'x', hotlane::memory_resource());
    EXPECT_EQ(text.size(), 1000U);
    EXPECT_THROW(static_cast<void>(hotlane::allocator<Wide>().allocate(SIZE_MAX / 16)), std::bad_alloc);
}

}  // namespace
