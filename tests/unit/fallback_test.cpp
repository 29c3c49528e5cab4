// SPDX-License-Identifier: MIT
//
// Tests the fallback allocator: alignment, zeroed memory, contents kept by realloc, ownership, threads, fork
// and purging. malloc is the system's here.
#include "fallback/fallback.h"

#include "page_heap/region.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <gtest/gtest.h>
#include <string>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

using namespace hotlane;

void fill(void* p, size_t bytes, uint8_t value) { memset(p, value, bytes); }

bool holds(const void* p, size_t bytes, uint8_t value) {
    const auto* byte = static_cast<const uint8_t*>(p);
    for (size_t i = 0; i < bytes; ++i) {
        if (byte[i] != value) {
            return false;
        }
    }
    return true;
}

// The first test in the file, so that it runs before any other test has allocated.
TEST(AFallback, ThatWasNeverAskedHoldsNothing) {
    EXPECT_FALSE(fallback::used());
    fallback::purge();
    fallback::pass(1'000'000'000);
    EXPECT_EQ(fallback::statistics().resident_bytes, 0U);
    fallback::prepare_for_fork();
    fallback::lock_for_fork();
    fallback::after_fork_parent();
    EXPECT_FALSE(fallback::used());
    EXPECT_FALSE(fallback::owns(&errno));
}

/// Whether 2-MiB pages were requested for the memory at `p`.
bool huge_pages_asked_for(const void* p) {
    std::ifstream maps{"/proc/self/smaps"};
    bool inside = false;
    for (std::string line; std::getline(maps, line);) {
        uintptr_t begin = 0;
        uintptr_t end = 0;
        if (sscanf(line.c_str(), "%lx-%lx ", &begin, &end) == 2) {
            inside = address_of(p) >= begin && address_of(p) < end;
        } else if (inside && line.starts_with("VmFlags:")) {
            return line.find(" hg") != std::string::npos;
        }
    }
    return false;
}

/// Sets the region up, after the test of a fallback that was never asked.
class FallbackInRegion : public testing::Test {
  protected:
    static void SetUpTestSuite() {
        ASSERT_TRUE(region.set_up({.span_metadata_bytes = 64, .huge_from_bytes = 256 * MiB}));
    }
};

TEST_F(FallbackInRegion, HugePagesAreAskedForBeyondTheSizeThatWasSaid) {
    // Larger than what any other test leaves behind, so that each one takes new pages.
    void* before = fallback::allocate(240 * MiB, 16, false);
    void* beyond = fallback::allocate(512 * MiB, 16, false);
    ASSERT_NE(before, nullptr);
    ASSERT_NE(beyond, nullptr);
    EXPECT_FALSE(huge_pages_asked_for(before));
    EXPECT_TRUE(huge_pages_asked_for(static_cast<char*>(beyond) + 256 * MiB));
    EXPECT_TRUE(fallback::release(before));
    EXPECT_TRUE(fallback::release(beyond));
}

TEST_F(FallbackInRegion, BlocksOutsideItWorkToo) {
    void* inside = fallback::allocate(3 * MiB, Region::kMostBlockAlignment, false);
    EXPECT_TRUE(region_view.contains(inside));
    EXPECT_TRUE(fallback::release(inside));
    constexpr size_t kAlignment = 2 * Region::kMostBlockAlignment;
    void* p = fallback::allocate(3 * MiB, kAlignment, true);
    ASSERT_NE(p, nullptr);
    EXPECT_FALSE(region_view.contains(p));
    EXPECT_TRUE(holds(p, 3 * MiB, 0));
    EXPECT_TRUE(fallback::release(p));
}

TEST_F(FallbackInRegion, ABlockGrowsIntoTheFreePagesAfterIt) {
    char* block = static_cast<char*>(fallback::allocate(3 * MiB, 16, false));
    ASSERT_NE(block, nullptr);
    fill(block, 3 * MiB, 7);
    char* grown = static_cast<char*>(fallback::reallocate(block, 48 * MiB, 16));
    EXPECT_TRUE(holds(grown, 3 * MiB, 7));
    char* again = static_cast<char*>(fallback::reallocate(grown, 96 * MiB, 16));
    EXPECT_EQ(again, grown) << "nothing lies behind the last block";
    EXPECT_TRUE(holds(again, 3 * MiB, 7));
    fill(again, 96 * MiB, 8);
    EXPECT_TRUE(fallback::release(again));
}

class Fallback : public testing::TestWithParam<size_t> {};

TEST_P(Fallback, EveryAlignmentIsKept) {
    const size_t bytes = GetParam();
    for (size_t alignment = 1; alignment <= 4 * MiB; alignment *= 2) {
        void* p = fallback::allocate(bytes, alignment, false);
        ASSERT_NE(p, nullptr);
        EXPECT_EQ(address_of(p) % alignment, 0U);
        EXPECT_EQ(address_of(p) % fallback::kMinAlignment, 0U);
        EXPECT_GE(fallback::usable_size(p), bytes);
        fill(p, fallback::usable_size(p), 0xA5);
        EXPECT_TRUE(fallback::owns(p));
        EXPECT_TRUE(fallback::release(p));
    }
}

TEST_P(Fallback, ZeroedMemoryIsZeroAlsoWhenReused) {
    const size_t bytes = GetParam();
    for (int round = 0; round < 4; ++round) {
        void* p = fallback::allocate(bytes, 16, true);
        ASSERT_NE(p, nullptr);
        EXPECT_TRUE(holds(p, bytes, 0));
        fill(p, fallback::usable_size(p), 0xFF);
        EXPECT_TRUE(fallback::release(p));
    }
}

TEST_P(Fallback, ReallocKeepsTheContents) {
    const size_t bytes = GetParam();
    for (const size_t next : {size_t{1}, bytes / 2 + 1, bytes, bytes + 1, bytes * 2, bytes * 9}) {
        void* p = fallback::allocate(bytes, 16, false);
        ASSERT_NE(p, nullptr);
        fill(p, bytes, 0x5A);
        void* q = fallback::reallocate(p, next, 64);
        ASSERT_NE(q, nullptr);
        EXPECT_EQ(address_of(q) % 64, 0U);
        EXPECT_TRUE(holds(q, next < bytes ? next : bytes, 0x5A));
        EXPECT_GE(fallback::usable_size(q), next);
        EXPECT_TRUE(fallback::owns(q));
        EXPECT_TRUE(fallback::release(q));
    }
}

TEST_P(Fallback, ABlockIsOwnedExactlyWhileItLives) {
    const size_t bytes = GetParam();
    std::vector<void*> blocks;
    for (int i = 0; i < 50; ++i) {
        blocks.push_back(fallback::allocate(bytes, 16, false));
        ASSERT_NE(blocks.back(), nullptr);
    }
    for (void* p : blocks) {
        EXPECT_TRUE(fallback::owns(p));
        if (bytes >= 16 * KiB) {
            EXPECT_FALSE(fallback::owns(static_cast<char*>(p) + 64));
            EXPECT_FALSE(fallback::owns(static_cast<char*>(p) + kSmallestOsPage));
        }
        EXPECT_FALSE(fallback::owns(static_cast<char*>(p) + 1) && bytes >= 16 * KiB);
    }
    for (void* p : blocks) {
        EXPECT_TRUE(fallback::release(p));
        if (bytes >= 16 * KiB) {
            EXPECT_FALSE(fallback::owns(p));
            EXPECT_FALSE(fallback::release(p));  // a double free is reported, and changes nothing
        }
    }
    for (void* p : blocks) {
        EXPECT_FALSE(fallback::owns(p));
        EXPECT_FALSE(fallback::release(p));
    }
}

INSTANTIATE_TEST_SUITE_P(Sizes, Fallback,
                         testing::Values(1, 16, 65, 1'000, 4'096, 14'336, 14'337, 16 * KiB, 64 * KiB + 1,
                                         100'000, MiB, 3 * MiB + 7, 20 * MiB));

TEST(FallbackLimits, WhatCannotBeHadIsNull) {
    EXPECT_EQ(fallback::allocate(SIZE_MAX, 16, false), nullptr);
    EXPECT_EQ(fallback::allocate(PTRDIFF_MAX, 4096, true), nullptr);
    EXPECT_EQ(fallback::allocate(1, size_t{1} << 62, false), nullptr);
    void* p = fallback::allocate(100'000, 16, false);
    ASSERT_NE(p, nullptr);
    fill(p, 100'000, 3);
    EXPECT_EQ(fallback::reallocate(p, PTRDIFF_MAX, 16), nullptr);
    EXPECT_TRUE(holds(p, 100'000, 3));
    EXPECT_TRUE(fallback::release(p));
}

TEST(FallbackLimits, ALargeBlockGrowsInPlaceIntoFreeSpace) {
    // Two neighbours from one fresh extent. When the second is freed, the first may grow into its place.
    void* first = fallback::allocate(300 * MiB, 16, false);
    ASSERT_NE(first, nullptr);
    void* shrunk = fallback::reallocate(first, 100 * MiB, 16);
    EXPECT_EQ(shrunk, first);
    void* grown = fallback::reallocate(shrunk, 250 * MiB, 16);
    EXPECT_EQ(grown, first);
    EXPECT_TRUE(fallback::release(grown));
}

TEST(FallbackErrno, ReleaseKeepsIt) {
    void* p = fallback::allocate(8 * MiB, 16, false);
    ASSERT_NE(p, nullptr);
    errno = 77;
    EXPECT_TRUE(fallback::release(p));
    fallback::purge();
    EXPECT_EQ(errno, 77);
}

TEST(FallbackSampled, AMarkedBlockIsToldFromOthers) {
    void* marked = fallback::allocate(100, kSmallestOsPage, false);
    void* plain = fallback::allocate(100, 16, false);
    fallback::mark_sampled(marked);
    EXPECT_TRUE(fallback::sampled(marked));
    EXPECT_FALSE(fallback::sampled(plain));
    EXPECT_TRUE(fallback::release(marked));
    EXPECT_FALSE(fallback::sampled(marked));
    EXPECT_TRUE(fallback::release(plain));
}

TEST(FallbackThreads, BlocksCrossThreadsAndThreadsEnd) {
    constexpr int kRounds = 30;
    constexpr size_t kBytes = 80'000;
    for (int round = 0; round < kRounds; ++round) {
        std::vector<void*> blocks(40);
        std::thread([&] {
            for (void*& block : blocks) {
                block = fallback::allocate(kBytes, 64, false);
                ASSERT_NE(block, nullptr);
                fill(block, kBytes, static_cast<uint8_t>(round));
            }
        }).join();
        std::thread([&] {
            for (void* block : blocks) {
                EXPECT_TRUE(holds(block, kBytes, static_cast<uint8_t>(round)));
                EXPECT_TRUE(fallback::release(block));
            }
        }).join();
    }
}

TEST(FallbackThreads, AThreadThatEndsGivesItsCacheBack) {
    fallback::purge();
    constexpr size_t kBytes = 200'000;  // goes through a thread's own cache
    for (int round = 0; round < 40; ++round) {
        std::thread([] {
            std::vector<void*> blocks(40);
            for (void*& block : blocks) {
                block = fallback::allocate(kBytes, 16, false);
                ASSERT_NE(block, nullptr);
                fill(block, kBytes, 1);
            }
            for (void* block : blocks) {
                EXPECT_TRUE(fallback::release(block));
            }
        }).join();
    }
    // If forty caches of 8 MB each were kept, they would take 320 MB. One set is reused instead.
    EXPECT_LT(fallback::statistics().resident_bytes, 60 * MiB);
}

long page_faults() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_minflt;
}

TEST(FallbackZeroed, UsedMemoryIsClearedWhereItLies) {
    constexpr size_t kBytes = 16 * MiB;
    fallback::purge();  // what other tests freed without touching it
    void* used = fallback::allocate(kBytes, 16, false);
    ASSERT_NE(used, nullptr);
    fill(used, kBytes, 0xA5);
    EXPECT_TRUE(fallback::release(used));
    const long before = page_faults();
    void* zeroed = fallback::allocate(kBytes, 16, true);
    ASSERT_NE(zeroed, nullptr);
    EXPECT_TRUE(holds(zeroed, kBytes, 0));
    EXPECT_LT(page_faults() - before, 100);  // with a purge and new faults it would be 4,096
    EXPECT_TRUE(fallback::release(zeroed));
}

TEST(FallbackZeroed, PurgedMemoryIsKnownAsZero) {
    constexpr size_t kBytes = 64 * MiB;
    void* used = fallback::allocate(kBytes, 16, false);
    ASSERT_NE(used, nullptr);
    fill(used, kBytes, 0xA5);
    EXPECT_TRUE(fallback::release(used));
    region.purge(0, 0);
    const long before = page_faults();
    void* zeroed = fallback::allocate(kBytes, 16, true);
    ASSERT_NE(zeroed, nullptr);
    EXPECT_LT(page_faults() - before, 100);  // nothing was cleared
    EXPECT_TRUE(holds(zeroed, kBytes, 0));
    EXPECT_TRUE(fallback::release(zeroed));
}

TEST(FallbackPurge, FreeBlocksAreTheRegionsPages) {
    void* p = fallback::allocate(200 * MiB, 16, false);
    ASSERT_NE(p, nullptr);
    fill(p, 200 * MiB, 1);
    EXPECT_GE(fallback::statistics().resident_bytes, 200 * MiB);
    EXPECT_TRUE(fallback::release(p));
    EXPECT_LT(fallback::statistics().resident_bytes, 100 * MiB);
    EXPECT_GE(region.stats().free_dirty_bytes, 190 * MiB);
}

TEST(FallbackPurge, TheClockEmptiesTheThreadsCacheOnceNothingMoves) {
    uint64_t now_ns = 1'000'000'000'000;
    constexpr uint64_t kSecond = 1'000'000'000;
    constexpr size_t kCached = 192 * KiB;
    std::vector<void*> blocks(20);
    fallback::purge();
    fallback::pass(now_ns);
    const size_t before = fallback::statistics().allocated_bytes;
    for (void*& p : blocks) {
        p = fallback::allocate(kCached, 16, false);
    }
    for (void* p : blocks) {
        EXPECT_TRUE(fallback::release(p));
    }
    const size_t cached = fallback::statistics().allocated_bytes - before;
    EXPECT_GE(cached, 4 * kCached) << "the thread's cache has some";
    now_ns += kSecond;
    fallback::pass(now_ns);  // something changed: wait
    EXPECT_EQ(fallback::statistics().allocated_bytes - before, cached);
    now_ns += kSecond;
    fallback::pass(now_ns);  // nothing changed since
    EXPECT_EQ(fallback::statistics().allocated_bytes, before);
}

TEST(FallbackFork, ParentAndChildGoOn) {
    std::atomic<bool> stop{false};
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t) {
        threads.emplace_back([&] {
            while (!stop) {
                void* p = fallback::allocate(2 * MiB, 16, false);
                EXPECT_TRUE(fallback::release(p));
            }
        });
    }
    for (int round = 0; round < 30; ++round) {
        fallback::prepare_for_fork();
        fallback::lock_for_fork();
        region.lock().lock();  // as fork does
        const pid_t child = fork();
        region.lock().unlock();
        if (child == 0) {
            fallback::after_fork_child();
            alarm(20);  // a lock that is never released ends the child, and the test
            void* p = fallback::allocate(2 * MiB, 16, true);
            const bool good = p != nullptr && holds(p, 2 * MiB, 0) && fallback::release(p);
            fallback::purge();
            _exit(good ? 0 : 1);
        }
        fallback::after_fork_parent();
        int status = -1;
        ASSERT_EQ(waitpid(child, &status, 0), child);
        ASSERT_EQ(status, 0);
    }
    stop = true;
    for (auto& thread : threads) {
        thread.join();
    }
}

}  // namespace
