// SPDX-License-Identifier: MIT
//
// Tests the block map: blocks are entered, erased and looked up, alone, sharing a page, and marked. Only
// addresses are used; nothing here is dereferenced.
#include "fallback/block_map.h"

#include <atomic>
#include <gtest/gtest.h>
#include <thread>
#include <vector>

namespace {

using namespace hotlane;

// Every test has a page of its own, in a leaf of its own if that matters.
const void* at(uintptr_t address) { return pointer_to(address); }
constexpr uintptr_t kFirst = uintptr_t{5} << block_map::kLeafBits;

TEST(BlockMap, AnUnknownAddressIsNotContained) {
    EXPECT_FALSE(block_map::contains(nullptr));
    EXPECT_FALSE(block_map::contains(at(kFirst + 0x100000)));
    EXPECT_FALSE(block_map::erase(at(uintptr_t{99} << block_map::kLeafBits)));
}

TEST(BlockMap, AddressesAboveUserSpaceAreNobodys) {
    EXPECT_FALSE(block_map::contains(at(uintptr_t{1} << kAddressBits)));
    EXPECT_FALSE(block_map::contains(at(UINTPTR_MAX - 63)));
    EXPECT_FALSE(block_map::insert_exclusive(at(uintptr_t{1} << kAddressBits)));
    EXPECT_FALSE(block_map::sampled(at(UINTPTR_MAX - 63)));
}

TEST(BlockMap, ABlockAloneIsKnownByItsExactStart) {
    const uintptr_t page = kFirst + 0x200000;
    for (size_t offset = 0; offset < kSmallestOsPage; offset += block_map::kSmallestBlock) {
        ASSERT_TRUE(block_map::insert_exclusive(at(page + offset)));
        for (size_t probe = 0; probe < kSmallestOsPage; probe += 16) {
            ASSERT_EQ(block_map::contains(at(page + probe)), probe == offset) << offset << " " << probe;
        }
        ASSERT_FALSE(block_map::contains(at(page + kSmallestOsPage)));
        ASSERT_TRUE(block_map::erase(at(page + offset)));
        ASSERT_FALSE(block_map::contains(at(page + offset)));
    }
}

TEST(BlockMap, ASecondStrikeFails) {
    const void* block = at(kFirst + 0x300040);
    ASSERT_TRUE(block_map::insert_exclusive(block));
    EXPECT_FALSE(block_map::erase(at(kFirst + 0x300080)));  // an interior pointer
    EXPECT_TRUE(block_map::erase(block));
    EXPECT_FALSE(block_map::erase(block));
}

TEST(BlockMap, SharedPagesCountTheirBlocks) {
    const uintptr_t page = kFirst + 0x400000;
    for (size_t offset = 0; offset < kSmallestOsPage; offset += block_map::kSmallestBlock) {
        ASSERT_TRUE(block_map::enter_shared(at(page + offset)));
    }
    for (size_t offset = 0; offset < kSmallestOsPage; offset += block_map::kSmallestBlock) {
        ASSERT_TRUE(block_map::contains(at(page + offset)));
        ASSERT_TRUE(block_map::erase(at(page + offset)));
    }
    EXPECT_FALSE(block_map::contains(at(page)));
    EXPECT_FALSE(block_map::erase(at(page)));
}

TEST(BlockMap, AReleasedBlockIsRememberedUntilAnotherBeginsInItsPage) {
    const uintptr_t page = kFirst + 0x600000;
    EXPECT_FALSE(block_map::released(at(page)));
    for (size_t offset = 0; offset < kSmallestOsPage; offset += block_map::kSmallestBlock) {
        ASSERT_TRUE(block_map::insert_exclusive(at(page + offset)));
        ASSERT_FALSE(block_map::released(at(page + offset)));
        ASSERT_TRUE(block_map::erase(at(page + offset)));
        ASSERT_TRUE(block_map::released(at(page + offset)));
        ASSERT_FALSE(block_map::released(at(page + (offset + kSmallestOsPage / 2) % kSmallestOsPage)));
        ASSERT_FALSE(block_map::contains(at(page + offset)));
    }
    // The first one of several blocks that share the page. It is the last to be freed.
    ASSERT_TRUE(block_map::enter_shared(at(page)));
    ASSERT_TRUE(block_map::enter_shared(at(page + 80)));
    ASSERT_FALSE(block_map::released(at(page)));
    ASSERT_TRUE(block_map::erase(at(page)));
    ASSERT_TRUE(block_map::contains(at(page + 80)));
    ASSERT_TRUE(block_map::erase(at(page + 80)));
    EXPECT_FALSE(block_map::contains(at(page + 80)));
    EXPECT_TRUE(block_map::released(at(page + 80)));
    EXPECT_FALSE(block_map::released(at(uintptr_t{98} << block_map::kLeafBits)));
    EXPECT_FALSE(block_map::released(at(UINTPTR_MAX - 63)));
}

TEST(BlockMap, AMarkLastsAsLongAsTheBlock) {
    const void* block = at(kFirst + 0x500fc0);
    ASSERT_TRUE(block_map::insert_exclusive(block));
    EXPECT_FALSE(block_map::sampled(block));
    block_map::mark_sampled(block);
    EXPECT_TRUE(block_map::sampled(block));
    EXPECT_TRUE(block_map::contains(block));
    EXPECT_FALSE(block_map::sampled(at(kFirst + 0x500f80)));
    EXPECT_TRUE(block_map::erase(block));
    EXPECT_FALSE(block_map::sampled(block));
    ASSERT_TRUE(block_map::insert_exclusive(block));
    EXPECT_FALSE(block_map::sampled(block));
    block_map::mark_sampled(block);
    block_map::unmark_sampled(block);
    EXPECT_FALSE(block_map::sampled(block)) << "or until it is taken off";
    EXPECT_TRUE(block_map::erase(block));
}

TEST(BlockMap, OfManyThreadsOneStrikesABlockOut) {
    constexpr int kThreads = 4;
    constexpr int kBlocks = 2'000;
    const uintptr_t first = uintptr_t{77} << block_map::kLeafBits;  // a fresh leaf: entering races, too
    std::atomic<int> struck{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
        threads.emplace_back([&, t] {
            for (int i = t; i < kBlocks; i += kThreads) {
                EXPECT_TRUE(
                    block_map::insert_exclusive(at(first + static_cast<uintptr_t>(i) * kSmallestOsPage)));
            }
        });
    }
    for (auto& thread : threads) {
        thread.join();
    }
    threads.clear();
    for (int t = 0; t < kThreads; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < kBlocks; ++i) {
                struck += block_map::erase(at(first + static_cast<uintptr_t>(i) * kSmallestOsPage)) ? 1 : 0;
            }
        });
    }
    for (auto& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(struck, kBlocks);
}

}  // namespace
