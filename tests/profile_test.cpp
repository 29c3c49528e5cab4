// SPDX-License-Identifier: MIT
//
// The profiler's tables and what they count, on a system that refuses memory and whose clock is moved.
// Knows nothing of the tiers that serve requests.
// Run by meson.
#include "fake_os.h"
#include "observe/backtrace.h"
#include "observe/profile.h"

#include <cstring>
#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <set>
#include <thread>

namespace {

using namespace hotlane;

constexpr uint64_t kOne = uint64_t{1} << sampler::kWeightShift;

// ---- the table of stacks
// ------------------------------------------------------------------------------------

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
    EXPECT_EQ(numbers.size(), 7U);  // {1}, {1 2} and so on are the first's, too
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

// ---- the heap of sampled objects
// ----------------------------------------------------------------------------

class SampleHeapTest : public testing::Test {
  protected:
    void SetUp() override {
        fake_os::reset();
        heap_ = std::make_unique<SampleHeap>();
        ASSERT_TRUE(heap_->set_up());
    }
    /// An object of class `c` with a record, or null.
    void* take(ClassIndex c) {
        Sample* sample = nullptr;
        void* p = heap_->take(c, sample);
        if (p != nullptr) {
            *sample = {.born_ns = 0,
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
            const size_t alignment = std::min<size_t>(bytes & -bytes, kPageSize);
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

TEST_F(SampleHeapTest, WhatIsPutBackIsTheNextAndNoRecordStays) {
    void* first = take(3);
    void* second = take(3);
    heap_->put_back(first);
    EXPECT_EQ(heap_->find(first), nullptr);
    EXPECT_NE(heap_->find(second), nullptr);
    heap_->put_back(second);
    EXPECT_EQ(take(3), second);
    EXPECT_EQ(take(3), first);
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
        blocks.push_back(i * kPageSize);
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

// ---- the profile
// --------------------------------------------------------------------------------------------

struct Sum {
    Tally live{};
    Tally total{};
    Tally temporary{};
    Tally remote{};
    std::map<size_t, uint64_t> lifetimes;
};

void add_site(const Site& site, const uintptr_t*, void* context) {
    Sum& sum = *static_cast<Sum*>(context);
    const auto add = [](Tally& to, const Tally& from) {
        to.objects += from.objects;
        to.bytes += from.bytes;
        to.requested += from.requested;
        to.samples += from.samples;
    };
    add(sum.live, site.live);
    add(sum.total, site.total);
    add(sum.temporary, site.temporary);
    add(sum.remote, site.remote);
    for (size_t i = 0; i < Site::kLifetimes; ++i) {
        if (site.lifetimes[i] != 0) {
            sum.lifetimes[i] += site.lifetimes[i];
        }
    }
}

Sum sum_now() {
    Sum sum;
    profile::for_each_site(add_site, &sum);
    return sum;
}

class ProfileTest : public testing::TestWithParam<Unwinder> {
  protected:
    void SetUp() override {
        fake_os::reset();
        EXPECT_TRUE(backtrace::load(GetParam()));
        EXPECT_EQ(backtrace::unwinder(), GetParam());
        ASSERT_TRUE(profile::start(1));
        before_ = sum_now();
    }
    void TearDown() override {
        profile::stop();
        fake_os::reset();
    }
    Sum before_;
};

// libunwind frees what it kept for a thread in a destructor that may run after ThreadSanitizer's own.
#ifndef __SANITIZE_THREAD__
INSTANTIATE_TEST_SUITE_P(Libunwind, ProfileTest, testing::Values(Unwinder::libunwind));
#endif
INSTANTIATE_TEST_SUITE_P(FramePointers, ProfileTest, testing::Values(Unwinder::frame_pointers));

TEST_P(ProfileTest, CountsWhatLivesAndWhatHasLived) {
    void* p = profile::allocate(2, 100);
    ASSERT_NE(p, nullptr);
    EXPECT_TRUE(profile::contains(p));
    EXPECT_EQ(profile::usable_size(p), 128U);
    Sum now = sum_now();
    EXPECT_EQ(now.live.objects - before_.live.objects, kOne);
    EXPECT_EQ(now.live.bytes - before_.live.bytes, 128 * kOne);
    EXPECT_EQ(now.live.requested - before_.live.requested, 100 * kOne);
    profile::resize(p, 70);
    now = sum_now();
    EXPECT_EQ(now.live.requested - before_.live.requested, 70 * kOne);
    EXPECT_EQ(now.total.requested - before_.total.requested, 70 * kOne);
    EXPECT_TRUE(profile::release(p));
    now = sum_now();
    EXPECT_EQ(now.live.objects, before_.live.objects);
    EXPECT_EQ(now.live.bytes, before_.live.bytes);
    EXPECT_EQ(now.live.requested, before_.live.requested);
    EXPECT_EQ(now.total.objects - before_.total.objects, kOne);
    EXPECT_FALSE(profile::release(p));
    EXPECT_EQ(profile::usable_size(p), 0U);
    EXPECT_FALSE(profile::release(pointer_to(64)));
}

TEST_P(ProfileTest, YoungIsLessThanAMillisecondAndLifetimesAreLogarithms) {
    fake_os::stop_clock();
    void* young = profile::allocate(1, 64);
    void* old = profile::allocate(1, 64);
    fake_os::advance_clock(999'999);
    EXPECT_TRUE(profile::release(young));
    fake_os::advance_clock(1);
    EXPECT_TRUE(profile::release(old));
    const Sum now = sum_now();
    EXPECT_EQ(now.temporary.objects - before_.temporary.objects, kOne);
    EXPECT_EQ(now.lifetimes.at(19) - before_.lifetimes[19], 2 * kOne);  // both from 2^19 ns to 2^20
}

TEST_P(ProfileTest, AnotherThreadsFreeIsRemote) {
    void* p = profile::allocate(1, 64);
    std::thread([p] { EXPECT_TRUE(profile::release(p)); }).join();
    const Sum now = sum_now();
    EXPECT_EQ(now.remote.objects - before_.remote.objects, kOne);
}

TEST_P(ProfileTest, BlocksAreFollowedWhereTheyAre) {
    alignas(64) static char block[64];
    EXPECT_TRUE(profile::follow(block, 1 << 20, 1'000'000));
    EXPECT_FALSE(profile::contains(block));
    Sum now = sum_now();
    EXPECT_EQ(now.live.bytes - before_.live.bytes, kOne << 20);
    EXPECT_TRUE(profile::release(block));
    now = sum_now();
    EXPECT_EQ(now.live.bytes, before_.live.bytes);
}

TEST_P(ProfileTest, NoMemoryIsALostSample) {
    std::vector<void*> objects;
    const uint64_t lost = profile::statistics().lost_samples;
    fake_os::fail_always(fake_os::Call::commit, true);
    void* p = nullptr;
    while ((p = profile::allocate(20, 1)) != nullptr) {
        objects.push_back(p);
    }
    EXPECT_GT(profile::statistics().lost_samples, lost);
    fake_os::fail_always(fake_os::Call::commit, false);
    for (void* object : objects) {
        EXPECT_TRUE(profile::release(object));
    }
    EXPECT_EQ(sum_now().live.objects, before_.live.objects);
}

TEST_P(ProfileTest, WhileAForkIsUnderWayNoStackIsTaken) {
    const uint64_t lost = profile::statistics().lost_samples;
    backtrace::before_fork();
    EXPECT_EQ(profile::allocate(1, 64), nullptr);
    backtrace::after_fork();
    EXPECT_EQ(profile::statistics().lost_samples, lost + 1);
    void* p = profile::allocate(1, 64);
    EXPECT_TRUE(profile::release(p));
}

TEST_P(ProfileTest, ManyThreadsComeAndGo) {
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([] {
            std::vector<void*> live;
            for (int i = 0; i < 5000; ++i) {
                const ClassIndex c = 1 + static_cast<ClassIndex>(i) % 20;
                if (void* p = profile::allocate(c, size_classes[c].object_size)) {
                    memset(p, i, size_classes[c].object_size);
                    live.push_back(p);
                }
                if (live.size() > 50) {
                    EXPECT_TRUE(profile::release(live.front()));
                    live.erase(live.begin());
                }
            }
            for (void* p : live) {
                EXPECT_TRUE(profile::release(p));
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    const Sum now = sum_now();
    EXPECT_EQ(now.live.objects, before_.live.objects);
    EXPECT_EQ(now.total.objects - before_.total.objects, 20'000 * kOne);
}

}  // namespace
