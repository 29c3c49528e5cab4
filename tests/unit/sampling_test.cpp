// SPDX-License-Identifier: MIT
//
// Tests when a thread cache stops for a sample: by the countdown of each lane, with any mix of hits and
// misses in between.
#include "accounted_threads.h"

#include "fake_os.h"
#include "profiler/sampler.h"

#include <cmath>
#include <random>
#include <thread>

namespace {

using namespace hotlane;

thread_local uint64_t samples_taken = 0;
thread_local uint64_t guards_drawn = 0;

/// As the allocator does: the slow path asks once, and a sampled request is served elsewhere.
void* sample_or_take(size_t n) {
    const Drawn drawn = drawn_for(size_classes.class_of(n));
    guards_drawn += drawn.guarded ? 1 : 0;
    if (drawn.sampled) {
        ++samples_taken;
        return nullptr;
    }
    return get_slow(n);
}
[[gnu::noinline]] void* get_or_sample(size_t n) { return allocate_fast<sample_or_take>(n); }

class SamplingTest : public AccountedThreads {
  protected:
    void TearDown() override {
        sampler::stop();
        AccountedThreads::TearDown();
    }
};

/// Makes `requests` requests with at most `most_live` live objects; the lower that number, the more requests
/// hit. Returns how many requests the thread cache served.
uint64_t churn(uint64_t requests, size_t n, size_t most_live, unsigned seed) {
    std::mt19937 random(seed);
    std::vector<void*> live;
    uint64_t served = 0;
    for (uint64_t i = 0; i < requests; ++i) {
        if (void* p = get_or_sample(n)) {
            ++served;
            live.push_back(p);
        }
        while (live.size() > random() % (most_live + 1)) {
            put(live.back());
            live.pop_back();
        }
    }
    for (void* p : live) {
        put(p);
    }
    return served;
}

/// The bound is six standard deviations. A correct count exceeds it twice in a thousand million runs.
void expect_samples(uint64_t samples, uint64_t requests, size_t object_size, uint64_t period) {
    const double p = sampler::chance(object_size, period);
    const double mean = static_cast<double>(requests) * p;
    EXPECT_NEAR(static_cast<double>(samples), mean, 6 * std::sqrt(mean * (1 - p)) + 1) << object_size;
}

/// How often the thread polls while it makes 50,000 requests of 64 bytes that hit.
uint64_t count_polls() {
    constexpr int kRequests = 50'000;
    fake_os::stop_clock();
    uint64_t looks = 0;
    for (int i = 0; i < kRequests; ++i) {
        const uint64_t before = thread_cache.block->record(1).last_poll_ns;
        fake_os::advance_clock(1);
        if (void* p = get_or_sample(64)) {
            put(p);
        }
        looks += thread_cache.block->record(1).last_poll_ns != before;
    }
    fake_os::reset();
    return looks;
}

TEST_F(SamplingTest, AsManyAsTheChanceSaysWithHitsAndWithMisses) {
    uint64_t served = 0;
    for (const uint64_t period : {2'000U, 20'000U}) {
        sampler::start(period);
        for (const size_t n : {64U, 256U, 1024U}) {
            for (const size_t most_live : {1U, 600U}) {  // with 600, one request in ten refills
                samples_taken = 0;
                constexpr uint64_t kRequests = 300'000;
                const uint64_t got = churn(kRequests, n, most_live, static_cast<unsigned>(n));
                EXPECT_EQ(got + samples_taken, kRequests);
                expect_samples(samples_taken, kRequests, n, period);
                served += got;
            }
        }
    }
    expect_all_accounted_for(served);
}

TEST_F(SamplingTest, EveryRequestAtAPeriodOfOneFromTheFirstOn) {
    sampler::start(1);
    samples_taken = 0;
    EXPECT_EQ(churn(10'000, 64, 10, 1), 0U);
    EXPECT_EQ(samples_taken, 10'000U);
    std::thread([] {
        samples_taken = 0;
        EXPECT_EQ(churn(1'000, 512, 10, 1), 0U);
        EXPECT_EQ(samples_taken, 1'000U);
    }).join();
    expect_all_accounted_for(0);
}

TEST_F(SamplingTest, AfterTheEndNothingIsSampledAndHitsTakeTheFastPathAgain) {
    sampler::start(64);
    uint64_t served = churn(10'000, 64, 10, 1);
    sampler::stop();
    samples_taken = 0;
    served += churn(100'000, 64, 10, 2);
    constexpr uint64_t kFewPolls = 100;  // one in 1,024 hits, and up to ten more at first
    EXPECT_LT(count_polls(), kFewPolls);
    served += 50'000;
    EXPECT_EQ(samples_taken, 0U);
    // A poll is due now and then. A lane whose countdown was shortened for a sample must not poll each time.
    sampler::start(1 << 20);
    EXPECT_LT(count_polls(), kFewPolls);
    served += 50'000 - samples_taken;
    samples_taken = 0;
    sampler::start(1);  // lanes with a countdown left notice at the next poll
    const uint64_t late = churn(2'000, 64, 10, 4);
    EXPECT_LE(late, 1024U);
    EXPECT_EQ(samples_taken, 2'000 - late);
    expect_all_accounted_for(served + late);
}

TEST_F(SamplingTest, ARequestIsSampledExactlyWhenItsTurnHasCome) {
    std::vector<void*> live = {get_or_sample(64)};
    sampler::start(8192);
    uint64_t turns = 0;
    std::mt19937 random(1);
    const ThreadBlock& block = *thread_cache.block;
    for (int i = 0; i < 50'000; ++i) {
        const bool known = block.record(1).sample_epoch == sampler::epoch();
        const bool due = block.allocations(1) >= block.record(1).sample_at;
        samples_taken = 0;
        if (void* p = get_or_sample(64)) {
            live.push_back(p);
        }
        if (known) {
            ASSERT_EQ(samples_taken, due ? 1U : 0U) << i;
            turns += due;
        }
        while (live.size() > random() % 1000) {
            put(live.back());
            live.pop_back();
        }
    }
    EXPECT_GT(turns, 100U);
    for (void* p : live) {
        put(p);
    }
}

TEST_F(SamplingTest, ASampleBringsNoLookNearer) {
    put(get_or_sample(64));
    sampler::start(8192);
    samples_taken = 0;
    EXPECT_LT(count_polls(), 100U);
    EXPECT_GT(samples_taken, 100U);
}

TEST_F(SamplingTest, UncachedRequestsAreDrawnOneByOne) {
    set_up_thread_caches({.uncached = true});
    sampler::start(640);
    samples_taken = 0;
    const uint64_t served = churn(100'000, 64, 10, 5);
    expect_samples(samples_taken, 100'000, 64, 640);
    set_up_thread_caches({});
    expect_all_accounted_for(served);
}

TEST_F(SamplingTest, GuardsAreDrawnBesideASessionAndWithoutOne) {
    constexpr uint64_t kRequests = 200'000;
    constexpr uint64_t kOneIn = 100;
    sampler::start_guards(kOneIn);
    uint64_t served = 0;
    for (const uint64_t period : {0U, 6'400U}) {
        if (period != 0) {
            sampler::start(period);
        }
        for (const size_t n : {64U, 512U}) {  // independent of the size
            samples_taken = 0;
            guards_drawn = 0;
            const uint64_t got = churn(kRequests, n, 20, static_cast<unsigned>(n));
            EXPECT_EQ(got + samples_taken, kRequests);
            // A sampled request is served elsewhere and cannot be guarded. That is 8 % of the requests of 512
            // B with a period of 6,400.
            const double mean = 1.0 * static_cast<double>(kRequests - samples_taken) / kOneIn;
            EXPECT_NEAR(static_cast<double>(guards_drawn), mean, 6 * std::sqrt(mean) + 1) << n;
            if (period != 0) {
                expect_samples(samples_taken, kRequests, n, period);
            }
            served += got;
        }
    }
    sampler::stop();
    sampler::start_guards(1);
    guards_drawn = 0;
    churn(100, 128, 5, 1);
    EXPECT_EQ(guards_drawn, 100U);
    sampler::start_guards(0);
    guards_drawn = 0;
    churn(5'000, 128, 5, 1);
    EXPECT_LE(guards_drawn, 2U);
    expect_all_accounted_for(served + 5'100);
}

TEST_F(SamplingTest, WhileOthersReclaimAndLookEveryRequestIsServedOrSampled) {
    sampler::start(4'000);
    std::atomic<bool> done{false};
    std::atomic<uint64_t> served{0};
    std::thread reclaimer([&] {
        while (!done) {
            reclaim_caches(true);
            counts();
        }
    });
    std::vector<std::thread> owners;
    for (unsigned owner = 1; owner <= 3; ++owner) {
        owners.emplace_back([&served, owner] {
            samples_taken = 0;
            constexpr uint64_t kRequests = 60'000;
            const uint64_t got = churn(kRequests, 64, 100, owner);
            EXPECT_EQ(got + samples_taken, kRequests);
            expect_samples(samples_taken, kRequests, 64, 4'000);
            served += got;
        });
    }
    for (std::thread& owner : owners) {
        owner.join();
    }
    done = true;
    reclaimer.join();
    expect_all_accounted_for(served);
}

}  // namespace
