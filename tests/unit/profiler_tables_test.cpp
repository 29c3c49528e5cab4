// SPDX-License-Identifier: MIT
//
// Tests the profiler's tables, stacks and sampled objects, on a system that refuses memory.
#include "fake_os.h"
#include "profiler/sampled_heap.h"
#include "profiler/sampler.h"

#include <algorithm>
#include <cstring>
#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <set>
#include <thread>
#include <vector>

namespace {

using namespace hotlane;

constexpr uint64_t kOne = uint64_t{1} << sampler::kWeightShift;

// ---- the table of stacks ----------------------------------------------------------------------------------

class StackTableTest : public testing::Test {
  protected:
    void SetUp() override {
        fake_os::reset();
        table_ = std::make_unique<StackTable>();  // its memory is never given back, as in the library
        ASSERT_TRUE(table_->set_up());
    }
    std::unique_ptr<StackTable> table_;
};

TEST_F(StackTableTest, AStackIsKeptOnce) {
    const uintptr_t stacks[][3] = {{1, 2, 3}, {1, 2, 4}, {3, 2, 1}};
    std::set<SiteNumber> numbers;
    for (const auto& stack : stacks) {
        for (const size_t depth : {1U, 2U, 3U}) {
            const SiteNumber number = table_->find_or_add(stack, depth);
            ASSERT_NE(number, 0U);
            EXPECT_EQ(table_->find_or_add(stack, depth), number);
            EXPECT_EQ((*table_)[number].depth, depth);
            EXPECT_EQ(memcmp(table_->frames((*table_)[number]), stack, depth * sizeof *stack), 0);
            numbers.insert(number);
        }
    }
    EXPECT_EQ(numbers.size(), 7U);  // {1}, {1 2} and so on are also prefixes of the first one
    EXPECT_EQ(table_->count(), 7U);
}

TEST_F(StackTableTest, FullOrRefusedIsNoSiteAndTheOthersStay) {
    SiteNumber last = 0;
    uintptr_t frame = 0;
    fake_os::fail_always(fake_os::Call::commit, true);
    for (;; ++frame) {
        const SiteNumber number = table_->find_or_add(&frame, 1);
        if (number == 0) {
            break;
        }
        last = number;
    }
    fake_os::fail_always(fake_os::Call::commit, false);
    for (;; ++frame) {
        const SiteNumber number = table_->find_or_add(&frame, 1);
        if (number == 0) {
            break;
        }
        ASSERT_EQ(number, last + 1);
        last = number;
    }
    EXPECT_EQ(table_->count(), last);
    for (uintptr_t known = 0; known < last; ++known) {
        EXPECT_EQ(table_->find_or_add(&known, 1), known + 1);
    }
}

// ---- the heap of sampled objects --------------------------------------------------------------------------

class SampleHeapTest : public testing::Test {
  protected:
    void SetUp() override {
        fake_os::reset();
        heap_ = std::make_unique<SampleHeap>();
        ASSERT_TRUE(heap_->set_up());
    }
    /// Takes an object of class `c` and fills its record. Returns null if there is none.
    void* take(ClassIndex c) {
        Sample* sample = nullptr;
        void* p = heap_->take(c, sample);
        if (p != nullptr) {
            *sample = {.born = 0,
                       .weight = kOne,
                       .bytes = size_classes[c].object_size,
                       .requested = 1,
                       .thread = 0,
                       .site = 1,
                       .next = 0};
        }
        return p;
    }
    std::unique_ptr<SampleHeap> heap_;
};

TEST_F(SampleHeapTest, ObjectsOfEveryClassLieApartAndAtTheirMultiples) {
    std::map<uintptr_t, size_t> live;
    for (int round = 0; round < 40; ++round) {
        for (ClassIndex c = 1; c < size_classes.count; ++c) {
            void* p = take(c);
            ASSERT_NE(p, nullptr);
            const size_t bytes = size_classes[c].object_size;
            const size_t alignment = std::min<size_t>(bytes & -bytes, kRegionPageSize);
            EXPECT_EQ(address_of(p) % alignment, 0U) << bytes;
            memset(p, 0xAA, bytes);
            live[address_of(p)] = bytes;
            EXPECT_TRUE(heap_->contains(p));
            ASSERT_NE(heap_->find(p), nullptr);
            EXPECT_EQ(heap_->find(p)->bytes, bytes);
            EXPECT_EQ(heap_->find(static_cast<char*>(p) + 1), nullptr);
        }
    }
    uintptr_t end = 0;
    for (const auto& [address, bytes] : live) {
        EXPECT_GE(address, end);
        end = address + bytes;
    }
}

TEST_F(SampleHeapTest, WhatIsPutBackIsTakenAgainAfterEightOthersAndNoRecordStays) {
    void* first = take(3);
    void* second = take(3);
    heap_->put_back(first);
    EXPECT_EQ(heap_->find(first), nullptr);
    EXPECT_NE(heap_->find(second), nullptr);
    heap_->put_back(second);
    for (int i = 0; i < 8; ++i) {
        void* other = take(4);
        EXPECT_TRUE(i >= 7 || take(3) != first) << i;
        heap_->put_back(other);
    }
    EXPECT_EQ(take(3), second);
    EXPECT_EQ(take(3), first);
}

TEST_F(SampleHeapTest, AFreeOfALostThreadMayComeOnceMore) {
    void* own = take(3);
    void* of_other = take(3);
    heap_->put_back(own);
    std::thread([&] { heap_->put_back(of_other); }).join();
    EXPECT_FALSE(heap_->forgive(of_other));
    heap_->expect_frees_again();
    EXPECT_FALSE(heap_->forgive(own));
    EXPECT_FALSE(heap_->forgive(static_cast<char*>(of_other) + 64));
    for (int i = 0; i < 100; ++i) {
        EXPECT_NE(take(3), of_other);
    }
    EXPECT_TRUE(heap_->forgive(of_other));
    EXPECT_FALSE(heap_->forgive(of_other));
    EXPECT_EQ(take(3), of_other);
}

TEST_F(SampleHeapTest, ARefusalIsNoObjectAndLaterThereAreObjectsAgain) {
    fake_os::fail_always(fake_os::Call::commit, true);
    EXPECT_EQ(take(1), nullptr);
    fake_os::fail_always(fake_os::Call::commit, false);
    for (uint64_t n = 1; n <= 2; ++n) {
        fake_os::fail_nth(fake_os::Call::commit, n);
        for (int i = 0; i < 3000; ++i) {
            take(1 + static_cast<ClassIndex>(i) % 8);
        }
    }
    fake_os::reset();
    EXPECT_NE(take(1), nullptr);
}

TEST_F(SampleHeapTest, BlocksAreFoundByTheirStart) {
    std::vector<uintptr_t> blocks;
    for (uintptr_t i = 1; i <= 50'000; ++i) {
        blocks.push_back(i * kRegionPageSize);
        Sample* sample = heap_->add_block(pointer_to(blocks.back()));
        ASSERT_NE(sample, nullptr);
        sample->requested = i;
    }
    for (size_t i = 0; i < blocks.size(); i += 2) {
        heap_->put_back(pointer_to(blocks[i]));
    }
    for (size_t i = 0; i < blocks.size(); ++i) {
        const Sample* sample = heap_->find(pointer_to(blocks[i]));
        ASSERT_EQ(sample != nullptr, i % 2 == 1);
        EXPECT_TRUE(sample == nullptr || sample->requested == i + 1);
    }
    EXPECT_EQ(heap_->find(pointer_to(64)), nullptr);
}

}  // namespace
