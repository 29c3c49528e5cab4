// SPDX-License-Identifier: MIT
//
// Tests what an alarm may do, on which thread it is called, and that a forked child keeps it. Run with a
// purge delay of 8 ms, so that the hit rate is checked a thousand times a second.
#include "hotlane/hotlane.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

using std::chrono::steady_clock;

constexpr size_t kSize = 7000;

void miss() {
    hotlane_put(hotlane_get(kSize));
    hotlane_thread_flush();
}

/// Makes requests that miss until `enough` returns true. Returns false after ten seconds.
template <class Enough>
bool miss_until(Enough enough) {
    const auto end = steady_clock::now() + std::chrono::seconds(10);
    while (!enough()) {
        if (steady_clock::now() > end) {
            return false;
        }
        miss();
    }
    return true;
}

class Alarm : public testing::Test {
  protected:
    void TearDown() override { hotlane_alarm_set(0, 0, nullptr, nullptr); }
};

struct Busy {
    int times = 0;
    int depth = 0;
    int deepest = 0;
    int wrong = 0;
};

/// Does everything that an alarm may do, for several steps of the coarse clock, with mostly misses.
void do_everything(double, const hotlane_class_statistics* worst, void* context) {
    Busy& busy = *static_cast<Busy*>(context);
    ++busy.times;
    busy.deepest = std::max(busy.deepest, ++busy.depth);
    const hotlane_class_statistics before = *worst;
    const auto end = steady_clock::now() + std::chrono::milliseconds(10);
    while (steady_clock::now() < end) {
        std::array<void*, 64> objects{};
        for (size_t i = 0; i < objects.size(); ++i) {
            objects[i] = hotlane_get(64 + i * 1000);
        }
        for (void* object : objects) {
            busy.wrong += object == nullptr ? 1 : 0;
            hotlane_put(object);
        }
        std::free(std::malloc(300'000));
        hotlane_thread_flush();
        hotlane_stats_reset();
        static std::array<char, 64 << 10> text;
        busy.wrong += hotlane_stats_format(text.data(), text.size(), HOTLANE_JSON) == 0 ? 1 : 0;
        busy.wrong += hotlane::statistics().threads == 0 ? 1 : 0;
    }
    busy.wrong += worst->allocations != before.allocations || worst->misses != before.misses ? 1 : 0;
    hotlane_alarm_set(0.9, 1, do_everything, context);
    --busy.depth;
}

TEST_F(Alarm, MayAllocateAndAskAndIsNotCalledByWhatItDoesItself) {
    Busy busy;
    hotlane_alarm_set(0.9, 1, do_everything, &busy);
    EXPECT_TRUE(miss_until([&busy] { return busy.times >= 10; }));
    EXPECT_EQ(busy.deepest, 1);
    EXPECT_EQ(busy.wrong, 0);
}

TEST_F(Alarm, HeedsOnlyWhatHappensAfterItIsSet) {
    for (int i = 0; i < 20'000; ++i) {
        miss();
    }
    int calls = 0;
    // The last miss() emptied the cache, so at most the first of the following requests misses.
    hotlane_alarm_set(
        0.999, 10'000,
        [](double, const hotlane_class_statistics*, void* context) { ++*static_cast<int*>(context); },
        &calls);
    const auto end = steady_clock::now() + std::chrono::milliseconds(200);
    while (steady_clock::now() < end) {
        hotlane_put(hotlane_get(kSize));
    }
    EXPECT_EQ(calls, 0);
    // To show that it would have been called.
    EXPECT_TRUE(miss_until([&calls] { return calls > 0; }));
}

TEST_F(Alarm, IsCalledOnTheThreadThatNoticed) {
    thread_local std::atomic<int> calls{0};
    std::thread([] {
        hotlane_alarm_set(
            0.9, 1, [](double, const hotlane_class_statistics*, void*) { ++calls; }, nullptr);
        EXPECT_TRUE(miss_until([] { return calls > 3; }));
    }).join();
    EXPECT_EQ(calls, 0);
}

TEST_F(Alarm, IsRaisedInAChildForkedWhileOthersAreInIt) {
    static std::atomic<int> calls;
    calls = 0;
    hotlane_alarm_set(
        0.9, 1,
        [](double, const hotlane_class_statistics*, void*) {
            ++calls;
            std::this_thread::sleep_for(std::chrono::microseconds(200));
        },
        nullptr);
    std::atomic<bool> done{false};
    std::vector<std::thread> others;
    for (int t = 0; t < 3; ++t) {
        others.emplace_back([&done] {
            while (!done) {
                miss();
            }
        });
    }
    for (int i = 0; i < 100 && !HasFailure(); ++i) {
        const pid_t child = fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            alarm(20);
            const int inherited = calls;
            _exit(miss_until([=] { return calls != inherited; }) ? 0 : 1);
        }
        int status = 0;
        ASSERT_EQ(waitpid(child, &status, 0), child);
        EXPECT_EQ(status, 0) << "child " << i;
    }
    done = true;
    for (std::thread& other : others) {
        other.join();
    }
    EXPECT_GT(calls, 0);
}

}  // namespace
