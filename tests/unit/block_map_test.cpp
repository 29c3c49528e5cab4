// SPDX-License-Identifier: MIT
//
// The ledger's bytes: entering, striking out, asking; alone, shared and marked.
// Knows addresses only: nothing here is dereferenced.
// Run by meson.
#include "fallback/block_map.h"

#include <atomic>
#include <gtest/gtest.h>
#include <thread>
#include <vector>

namespace {

using namespace hotlane;

// Every test has a page of its own, in a leaf of its own where it matters.
const void* at(uintptr_t address) { return pointer_to(address); }
constexpr uintptr_t kFirst = uintptr_t{5} << ledger::kLeafBits;

TEST(Ledger, AnUnknownAddressIsNotContained) {
    EXPECT_FALSE(ledger::contains(nullptr));
    EXPECT_FALSE(ledger::contains(at(kFirst + 0x100000)));
    EXPECT_FALSE(ledger::strike(at(uintptr_t{99} << ledger::kLeafBits)));
}

TEST(Ledger, AddressesAboveUserSpaceAreNobodys) {
    EXPECT_FALSE(ledger::contains(at(uintptr_t{1} << kAddressBits)));
    EXPECT_FALSE(ledger::contains(at(UINTPTR_MAX - 63)));
    EXPECT_FALSE(ledger::enter_alone(at(uintptr_t{1} << kAddressBits)));
    EXPECT_FALSE(ledger::sampled(at(UINTPTR_MAX - 63)));
}

TEST(Ledger, ABlockAloneIsKnownByItsExactStart) {
    const uintptr_t page = kFirst + 0x200000;
    for (size_t offset = 0; offset < kOsPageSize; offset += ledger::kSmallestBlock) {
        ASSERT_TRUE(ledger::enter_alone(at(page + offset)));
        for (size_t probe = 0; probe < kOsPageSize; probe += 16) {
            ASSERT_EQ(ledger::contains(at(page + probe)), probe == offset) << offset << " " << probe;
        }
        ASSERT_FALSE(ledger::contains(at(page + kOsPageSize)));
        ASSERT_TRUE(ledger::strike(at(page + offset)));
        ASSERT_FALSE(ledger::contains(at(page + offset)));
    }
}

TEST(Ledger, ASecondStrikeFails) {
    const void* block = at(kFirst + 0x300040);
    ASSERT_TRUE(ledger::enter_alone(block));
    EXPECT_FALSE(ledger::strike(at(kFirst + 0x300080)));  // an interior pointer
    EXPECT_TRUE(ledger::strike(block));
    EXPECT_FALSE(ledger::strike(block));
}

TEST(Ledger, SharedPagesCountTheirBlocks) {
    const uintptr_t page = kFirst + 0x400000;
    for (size_t offset = 0; offset < kOsPageSize; offset += ledger::kSmallestBlock) {
        ASSERT_TRUE(ledger::enter_shared(at(page + offset)));
    }
    for (size_t offset = 0; offset < kOsPageSize; offset += ledger::kSmallestBlock) {
        ASSERT_TRUE(ledger::contains(at(page + offset)));
        ASSERT_TRUE(ledger::strike(at(page + offset)));
    }
    EXPECT_FALSE(ledger::contains(at(page)));
    EXPECT_FALSE(ledger::strike(at(page)));
}

TEST(Ledger, AReleasedBlockIsRememberedUntilAnotherBeginsInItsPage) {
    const uintptr_t page = kFirst + 0x600000;
    EXPECT_FALSE(ledger::released(at(page)));
    for (size_t offset = 0; offset < kOsPageSize; offset += ledger::kSmallestBlock) {
        ASSERT_TRUE(ledger::enter_alone(at(page + offset)));
        ASSERT_FALSE(ledger::released(at(page + offset)));
        ASSERT_TRUE(ledger::strike(at(page + offset)));
        ASSERT_TRUE(ledger::released(at(page + offset)));
        ASSERT_FALSE(ledger::released(at(page + (offset + kOsPageSize / 2) % kOsPageSize)));
        ASSERT_FALSE(ledger::contains(at(page + offset)));
    }
    // The first of many that share the page, and the last to go.
    ASSERT_TRUE(ledger::enter_shared(at(page)));
    ASSERT_TRUE(ledger::enter_shared(at(page + 80)));
    ASSERT_FALSE(ledger::released(at(page)));
    ASSERT_TRUE(ledger::strike(at(page)));
    ASSERT_TRUE(ledger::contains(at(page + 80)));
    ASSERT_TRUE(ledger::strike(at(page + 80)));
    EXPECT_FALSE(ledger::contains(at(page + 80)));
    EXPECT_TRUE(ledger::released(at(page + 80)));
    EXPECT_FALSE(ledger::released(at(uintptr_t{98} << ledger::kLeafBits)));
    EXPECT_FALSE(ledger::released(at(UINTPTR_MAX - 63)));
}

TEST(Ledger, AMarkLastsAsLongAsTheBlock) {
    const void* block = at(kFirst + 0x500fc0);
    ASSERT_TRUE(ledger::enter_alone(block));
    EXPECT_FALSE(ledger::sampled(block));
    ledger::mark_sampled(block);
    EXPECT_TRUE(ledger::sampled(block));
    EXPECT_TRUE(ledger::contains(block));
    EXPECT_FALSE(ledger::sampled(at(kFirst + 0x500f80)));
    EXPECT_TRUE(ledger::strike(block));
    EXPECT_FALSE(ledger::sampled(block));
    ASSERT_TRUE(ledger::enter_alone(block));
    EXPECT_FALSE(ledger::sampled(block));
    ledger::mark_sampled(block);
    ledger::unmark_sampled(block);
    EXPECT_FALSE(ledger::sampled(block)) << "or until it is taken off";
    EXPECT_TRUE(ledger::strike(block));
}

TEST(Ledger, OfManyThreadsOneStrikesABlockOut) {
    constexpr int kThreads = 4;
    constexpr int kBlocks = 2'000;
    const uintptr_t first = uintptr_t{77} << ledger::kLeafBits;  // a fresh leaf: entering races too
    std::atomic<int> struck{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
        threads.emplace_back([&, t] {
            for (int i = t; i < kBlocks; i += kThreads) {
                EXPECT_TRUE(ledger::enter_alone(at(first + static_cast<uintptr_t>(i) * kOsPageSize)));
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
                struck += ledger::strike(at(first + static_cast<uintptr_t>(i) * kOsPageSize)) ? 1 : 0;
            }
        });
    }
    for (auto& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(struck, kBlocks);
}

}  // namespace
