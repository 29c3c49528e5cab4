// SPDX-License-Identifier: MIT
//
// Tests what the profile counts, on a system that refuses memory and with a clock that is moved by hand.
#include "fake_os.h"
#include "profiler/sample_registry.h"
#include "profiler/size_histogram.h"
#include "profiler/stack/backtrace.h"

#include <atomic>
#include <cstring>
#include <gtest/gtest.h>
#include <map>
#include <thread>
#include <vector>

namespace {

using namespace hotlane;

constexpr uint64_t kOne = uint64_t{1} << sampler::kWeightShift;

struct Sum {
    Tally live{};
    Tally total{};
    Tally temporary{};
    Tally remote{};
    std::map<size_t, uint64_t> lifetimes;
};

void add_site(const Site& site, const uintptr_t*, void* context) {
    Sum& sum = *static_cast<Sum*>(context);
    sum.live += site.live;
    sum.total += site.total;
    sum.temporary += site.temporary;
    sum.remote += site.remote;
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

// libunwind frees a thread's data in a destructor that may run after ThreadSanitizer's own.
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
    EXPECT_TRUE(profile::track_sample(block, 1 << 20, 1'000'000));
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

/// Not called before the test, so that the rule of its frame is not known yet.
[[gnu::noinline]] void* allocate_from_new_code() {
    void* p = profile::allocate(1, 64);
    asm volatile("" : "+r"(p));  // prevents a tail call
    return p;
}

TEST_P(ProfileTest, WhileAForkIsUnderWayNothingAsksTheLoader) {
    const uint64_t lost = profile::statistics().lost_samples;
    const bool asks = GetParam() == Unwinder::libunwind;
    backtrace::before_fork();
    void* p = allocate_from_new_code();
    backtrace::after_fork();
    EXPECT_EQ(p == nullptr, asks);
    EXPECT_EQ(profile::statistics().lost_samples, lost + (asks ? 1 : 0));
    EXPECT_EQ(profile::release(p), !asks);
    p = allocate_from_new_code();
    EXPECT_TRUE(profile::release(p));
}

TEST_P(ProfileTest, OneStackOfSeveralThreadsIsOneSite) {
    constexpr uint64_t kThreads = 3;  // each with a shard of its own
    static size_t bytes = 0;          // not used by any other test
    bytes = GetParam() == Unwinder::libunwind ? 150 : 151;
    std::vector<std::thread> threads;
    std::atomic<uint64_t> done{0};
    for (uint64_t t = 0; t < kThreads; ++t) {
        threads.emplace_back([&done] {
            void* p = profile::allocate(3, bytes);
            ++done;
            while (done != kThreads) {
                std::this_thread::yield();
            }
            EXPECT_TRUE(profile::release(p));
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    std::vector<uint64_t> samples;
    const auto add = [](const Site& site, const uintptr_t*, void* context) {
        if (site.total.requested == site.total.samples * bytes * kOne) {
            static_cast<std::vector<uint64_t>*>(context)->push_back(site.total.samples);
        }
    };
    profile::for_each_site(add, &samples);
    EXPECT_EQ(samples, (std::vector<uint64_t>{kThreads}));
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

/// The row of the histogram for requests of `n` bytes; zeros if there were none.
size_histogram::Row row_of(size_t n) {
    struct Search {
        size_t size;
        size_histogram::Row found;
    } search{round_up(n, size_histogram::kStep), {}};
    size_histogram::for_each(
        [](size_t size, const size_histogram::Row& row, void* context) {
            auto* wanted = static_cast<Search*>(context);
            wanted->found = size == wanted->size ? row : wanted->found;
        },
        &search);
    return search.found;
}

TEST_P(ProfileTest, SizesAreCountedWithWhatLivedAtThePeak) {
    constexpr size_t kSize = 1'000;  // no other test asks for this size
    const ClassIndex c = size_classes.class_of(kSize);
    const size_histogram::Row before = row_of(kSize);
    std::vector<void*> objects;
    for (int i = 0; i < 300; ++i) {
        objects.push_back(profile::allocate(c, kSize));
        ASSERT_NE(objects.back(), nullptr);
    }
    size_histogram::Row row = row_of(kSize);
    EXPECT_EQ(row.requests - before.requests, 300 * kOne);
    EXPECT_EQ(row.live, 300 * kOne);
    EXPECT_EQ(row.live_bytes, 300 * kSize * kOne);
    EXPECT_GE(row.peak, 295 * kOne);
    EXPECT_EQ(row.peak_bytes, row.peak * kSize);
    for (void* object : objects) {
        EXPECT_TRUE(profile::release(object));
    }
    EXPECT_EQ(row_of(kSize).live, 0U);
    EXPECT_EQ(row_of(kSize).peak, row.peak);
    void* moved = profile::allocate(c, kSize);
    profile::resize(moved, kSize - 100);
    EXPECT_EQ(row_of(kSize).live, 0U);
    EXPECT_EQ(row_of(kSize - 100).live, kOne);
    EXPECT_TRUE(profile::release(moved));
    EXPECT_EQ(row_of(kSize - 100).live_bytes, 0U);
}

TEST_P(ProfileTest, TheFirstSecondIsRecordedOnItsOwn) {
    constexpr size_t kSize = 700;
    const ClassIndex c = size_classes.class_of(kSize);
    fake_os::stop_clock();
    profile::stop();
    ASSERT_TRUE(profile::start(1));
    const uint64_t before = row_of(kSize).early;
    std::vector<void*> objects;
    const auto add = [&](uint64_t count) {
        for (uint64_t i = 0; i < count; ++i) {
            objects.push_back(profile::allocate(c, kSize));
        }
    };
    add(before / kOne + 10);
    fake_os::advance_clock(999'999'999);
    add(10);
    EXPECT_EQ(row_of(kSize).early - before, 20 * kOne);
    fake_os::advance_clock(1);
    add(10);
    EXPECT_EQ(row_of(kSize).early - before, 20 * kOne);
    for (void* object : objects) {
        EXPECT_TRUE(profile::release(object));
    }
}

}  // namespace
