// SPDX-License-Identifier: MIT
//
// Tests the depot: no object is lost or handed out twice, the order of objects, and the reports of misuse.
#include "depot/depot.h"

#include "fake_os.h"
#include "fresh_core.h"
#include "maintenance/tuning.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <gtest/gtest.h>
#include <random>
#include <set>
#include <thread>

namespace {

using namespace hotlane;
using fake_os::Call;

class DepotTest : public testing::Test {
  protected:
    void SetUp() override {
        fake_os::reset();
        fake_os::set_cpu_count(64);
        fresh_depots();
        set_on_error(OnError::abort);
    }
    void TearDown() override { fake_os::reset(); }

    static std::vector<void*> take(ClassIndex c, uint32_t count, bool* zeroed = nullptr) {
        std::vector<void*> out(count);
        bool is_zero = false;
        RegionFailure why{};
        out.resize(depots[c].refill(out.data(), count, true, &is_zero, &why));
        if (zeroed != nullptr) {
            *zeroed = is_zero;
        }
        return out;
    }
    static void put_back(ClassIndex c, const std::vector<void*>& objects) {
        depots[c].put_back(objects.data(), static_cast<uint32_t>(objects.size()));
    }
};

TEST_F(DepotTest, FreshObjectsRiseAndReturnedOnesComeNewestFirst) {
    const std::vector<void*> objects = take(1, 10);
    ASSERT_EQ(objects.size(), 10U);
    EXPECT_TRUE(std::is_sorted(objects.begin(), objects.end()));
    put_back(1, {objects[3], objects[4]});
    put_back(1, {objects[7]});
    EXPECT_EQ(take(1, 2), (std::vector<void*>{objects[7], objects[3]}));
    EXPECT_EQ(take(1, 1), (std::vector<void*>{objects[4]}));
    depots[1].put_back_unused(&objects[5], 1);
    put_back(1, {objects[6]});
    EXPECT_EQ(take(1, 2), (std::vector<void*>{objects[6], objects[5]})) << "the unused behind the others";
}

TEST_F(DepotTest, TheShelfLosesNothing) {
    const uint32_t capacity = tuning::shelves_capacity(size_classes[1].object_size, 0);
    std::vector<void*> objects = take(1, capacity);
    put_back(1, objects);
    EXPECT_EQ(depots[1].stats().objects, capacity);
    for (int turn = 0; turn < 200; ++turn) {
        const std::vector<void*> some = take(1, 1 + static_cast<uint32_t>(turn * 37 % 240));
        ASSERT_FALSE(some.empty());
        put_back(1, some);
        ASSERT_EQ(depots[1].stats().objects, capacity);
    }
    std::vector<void*> again;
    while (depots[1].stats().objects != 0) {
        const std::vector<void*> some = take(1, 100);
        again.insert(again.end(), some.begin(), some.end());
    }
    std::sort(again.begin(), again.end());
    std::sort(objects.begin(), objects.end());
    EXPECT_EQ(again, objects);
}

TEST_F(DepotTest, AFullShelfGivesItsOldestToTheSpansAndHoldsNoMore) {
    for (const size_t size : {size_t{64}, size_t{8192}}) {
        const ClassIndex c = size_classes.class_of(size);
        const uint32_t capacity = tuning::shelves_capacity(size_classes[c].object_size, 0);
        const std::vector<void*> objects = take(c, 3 * capacity);
        ASSERT_EQ(objects.size(), size_t{3} * capacity);
        for (void* const& object : objects) {
            depots[c].put_back(&object, 1);
            ASSERT_LE(depots[c].stats().objects, capacity);
        }
        EXPECT_GE(depots[c].stats().objects + Shelf::kFew, capacity);
        EXPECT_EQ(take(c, 1), (std::vector<void*>{objects.back()})) << "the newest stayed";
        std::set<void*> again;
        for (uint32_t i = 1; i < 3 * capacity; ++i) {
            ASSERT_TRUE(again.insert(take(c, 1).at(0)).second) << "handed out twice";
        }
        EXPECT_FALSE(again.contains(objects.back()));
    }
}

TEST_F(DepotTest, AShelfMayHoldWhatTheOthersLeave) {
    const uint32_t capacity = tuning::shelves_capacity(size_classes[1].object_size, 0);
    const auto shared = static_cast<unsigned>(std::bit_ceil(divide_up(os::cpu_count(), Depot::kMostDomains)));
    const std::vector<void*> objects = take(1, 2 * capacity);
    ASSERT_EQ(objects.size(), 2 * capacity);
    const uint32_t few = capacity / 8;
    const auto put_on = [&](unsigned processor, uint32_t from, uint32_t count) {
        fake_os::run_on(processor);
        depots[1].put_back(objects.data() + from, count);
    };
    put_on(0, 0, few);
    put_on(shared, few, capacity - few);
    EXPECT_EQ(depots[1].stats().objects, capacity) << "the second shelf has far more than a half";
    put_on(shared, capacity, few);
    EXPECT_EQ(depots[1].stats().objects, capacity);
    put_on(0, capacity + few, capacity / 4);
    EXPECT_EQ(depots[1].stats().objects, capacity + capacity / 4) << "the first has less than its share";
    put_on(shared, 2 * capacity - few, few);
    EXPECT_EQ(depots[1].stats().objects, capacity) << "the second gives the excess of both back";
}

TEST_F(DepotTest, ManyObjectsComeAndGoInSeveralMagazinesAtOnce) {
    const std::vector<void*> objects = take(1, 240);
    SpareMagazines spare;
    depots[1].put_back(objects.data(), 240, &spare);
    std::vector<void*> again(240);
    EXPECT_EQ(depots[1].refill_from_shelves(again.data(), 120, &spare), 120U);
    EXPECT_TRUE(std::equal(again.begin(), again.begin() + 120, objects.begin())) << "the newest half";
    depots[1].put_back(again.data(), 120, &spare);
    EXPECT_EQ(depots[1].refill_from_shelves(again.data(), 240, &spare), 240U);
    EXPECT_EQ(again, objects);
    EXPECT_EQ(depots[1].refill_from_shelves(again.data(), 240, &spare), 0U);
}

TEST_F(DepotTest, EachProcessorGetsItsOwnBackFirst) {
    const std::vector<void*> objects = take(1, 6);
    fake_os::run_on(0);
    put_back(1, {objects[0], objects[1]});
    // As many processors as there are: several share a shelf if there are more than shelves.
    const auto shared = static_cast<unsigned>(std::bit_ceil(divide_up(os::cpu_count(), Depot::kMostDomains)));
    const unsigned other = shared;
    fake_os::run_on(other);
    put_back(1, {objects[2]});
    fake_os::run_on(0);
    EXPECT_EQ(take(1, 2), (std::vector<void*>{objects[0], objects[1]}));
    EXPECT_EQ(take(1, 2), (std::vector<void*>{objects[2]})) << "then another's, before a span's";
    fake_os::run_on(Depot::kMostDomains * shared + other);  // shares a shelf
    put_back(1, {objects[3]});
    fake_os::run_on(other);
    EXPECT_EQ(take(1, 1), (std::vector<void*>{objects[3]}));
    put_back(1, {objects[3], objects[4]});
    fake_os::run_on(2 * shared);
    put_back(1, {objects[5]});
    EXPECT_EQ(depots[1].stats().objects, 3U);
    depots[1].reap(true);
    EXPECT_EQ(depots[1].stats().objects, 0U);
}

TEST_F(DepotTest, AProcessThatMayUseFewProcessorsHasFewStoresWhateverTheirNumbers) {
    const struct {
        unsigned processors;
        size_t stores;
    } kCases[] = {{1, 1}, {4, 1}, {5, 2}, {13, 4}, {64, 16}, {65, 16}, {200, 16}};
    for (const auto& [processors, stores] : kCases) {
        fake_os::set_cpu_count(processors);
        fresh_depots();
        EXPECT_EQ(Depot::section_metadata_bytes(), stores * SpanSet::kBytesOfStore) << processors;
        for (unsigned processor = 0; processor < 256; processor += 3) {
            fake_os::run_on(processor);
            EXPECT_LT(span_containing(take(1, 1).at(0))->store(), stores) << processors;
        }
    }
}

TEST_F(DepotTest, PartialSpansOfOtherProcessorsAreUsedBeforeFreshOnesAndObjectsGoBackToTheirStore) {
    const auto shared = static_cast<unsigned>(std::bit_ceil(divide_up(os::cpu_count(), Depot::kMostDomains)));
    const unsigned far = std::max(shared, tuning::kProcessorsOfStore);
    const uint32_t in_span = size_classes[1].object_count;
    std::vector<void*> objects = take(1, in_span / 2);
    fake_os::run_on(far);
    const std::vector<void*> rest = take(1, in_span);
    EXPECT_EQ(rest.size(), in_span - in_span / 2) << "what the other store's span had";
    EXPECT_EQ(depots[1].stats().spans, 1U);
    const std::vector<void*> own = take(1, in_span);
    EXPECT_EQ(own.size(), in_span);
    EXPECT_EQ(depots[1].stats().spans, 2U);
    objects.insert(objects.end(), rest.begin(), rest.end());
    for (uint32_t i = 0; i < in_span; i += 4) {  // each batch has objects of both
        put_back(1, {objects[i], own[i], objects[i + 1], own[i + 1], own[i + 2], own[i + 3], objects[i + 2],
                     objects[i + 3]});
    }
    depots[1].reap(true);
    EXPECT_EQ(depots[1].stats().spans, 0U);
    EXPECT_EQ(depots[1].stats().outside, 0U);
    EXPECT_EQ(region.stats().in_use_bytes, 0U);
}

TEST_F(DepotTest, AnEmptyMagazineIsKeptForTheNextFlushAndIsPassedOnWithARefill) {
    const std::vector<void*> objects = take(1, 100);
    SpareMagazines producer;
    SpareMagazines consumer;
    void* out[100];
    depots[1].put_back(objects.data(), 100, &consumer);
    EXPECT_EQ(consumer.count(), 0U) << "the shelf has none yet";
    EXPECT_EQ(depots[1].refill_from_shelves(out, 100, &producer), 100U);
    ASSERT_EQ(producer.count(), 1U) << "what it emptied";
    for (int turn = 0; turn < 3; ++turn) {
        depots[1].put_back(out, 100, &consumer);
        EXPECT_EQ(depots[1].refill_from_shelves(out, 100, &producer), 100U);
        ASSERT_EQ(producer.count(), 1U);
        EXPECT_TRUE(std::equal(objects.begin(), objects.end(), out));
    }
    depots[1].put_back(out, 100, &consumer);
    EXPECT_NE(consumer.count(), 0U) << "the producer's magazines come back through the shelf";
}

TEST_F(DepotTest, SpansComeAndGoWithTheirObjects) {
    const ClassIndex c = size_classes.class_of(10'000);
    const std::vector<void*> objects = take(c, size_t{3} * size_classes[c].object_count);
    EXPECT_EQ(depots[c].stats().spans, 3U);
    EXPECT_EQ(region.stats().in_use_bytes, size_t{3} * size_classes[c].span_pages * kRegionPageSize);
    for (void* object : objects) {
        EXPECT_EQ(region_view.class_entry(region_view.page_of(object)), SizeClasses::lane_of(c));
    }
    put_back(c, objects);
    depots[c].reap(true);
    EXPECT_EQ(depots[c].stats().spans, 0U);
    EXPECT_EQ(depots[c].stats().objects, 0U);
    EXPECT_EQ(region.stats().in_use_bytes, 0U);
    EXPECT_EQ(region_view.class_entry(region_view.page_of(objects[0])), 0U);
}

TEST_F(DepotTest, ReapingKeepsTheWorkingSet) {
    const std::vector<void*> objects = take(1, 100);
    put_back(1, objects);
    depots[1].reap(false);  // no object was there for the whole interval
    EXPECT_EQ(depots[1].stats().objects, 100U);
    put_back(1, take(1, 30));  // 30 are needed, 70 are not
    depots[1].reap(false);
    EXPECT_EQ(depots[1].stats().objects, 30U);
    depots[1].reap(false);
    EXPECT_EQ(depots[1].stats().objects, 0U);
}

TEST_F(DepotTest, TheUnusedGoAtTheNextReap) {
    const std::vector<void*> objects = take(1, 100);
    depots[1].put_back_unused(objects.data(), 60);
    depots[1].put_back(objects.data() + 60, 40);
    depots[1].reap(false);
    EXPECT_EQ(depots[1].stats().objects, 40U);
}

TEST_F(DepotTest, ThePeakIsWhatWasOutsideAtOnce) {
    const std::vector<void*> objects = take(1, 100);
    put_back(1, objects);
    put_back(1, take(1, 60));
    EXPECT_EQ(depots[1].stats().peak_outside, 100U);
    const std::vector<void*> more = take(1, 100);
    take(1, 20);
    EXPECT_EQ(depots[1].stats().peak_outside, 120U);
}

TEST_F(DepotTest, WhatIsSaidToBeZeroIs) {
    std::mt19937 random(1);
    for (const ClassIndex c : {1U, 9U, size_classes.class_of(3000), size_classes.count - 1}) {
        std::vector<void*> live;
        int zeroes = 0;
        for (int step = 0; step < 3'000; ++step) {
            if (random() % 100 < 55) {
                bool zeroed = false;
                const std::vector<void*> objects = take(c, 1 + random() % 8, &zeroed);
                const auto* bytes = static_cast<const char*>(objects[0]);
                if (zeroed) {
                    ++zeroes;
                    ASSERT_TRUE(std::all_of(bytes, bytes + size_classes[c].object_size,
                                            [](char byte) { return byte == 0; }));
                }
                for (void* object : objects) {
                    memset(object, 'x', size_classes[c].object_size);
                    live.push_back(object);
                }
            } else if (!live.empty()) {
                std::shuffle(live.begin(), live.end(), random);
                const size_t count = std::min<size_t>(live.size(), 1 + random() % 30);
                put_back(c, {live.end() - static_cast<long>(count), live.end()});
                live.resize(live.size() - count);
            }
            if (random() % 50 == 0) {
                depots[c].reap(random() % 2 == 0);
                region.purge(0, 0);
            }
        }
        for (void* object : live) {
            put_back(c, {object});
        }
        EXPECT_GT(zeroes, 0);
    }
}

TEST_F(DepotTest, NoPagesIsSaidWithItsReasonAndPassesOff) {
    fresh_depots({}, 4 * GiB, 2 * kRegionPageSize);
    void* out[4096];
    bool zeroed = false;
    RegionFailure why{};
    EXPECT_EQ(depots[1].refill(out, 4096, true, &zeroed, &why), 2 * kRegionPageSize / 64) << "what there is";
    EXPECT_EQ(depots[1].refill(out, 1, true, &zeroed, &why), 0U);
    EXPECT_EQ(why, RegionFailure::limit);
    fresh_depots();
    fake_os::fail_always(Call::commit, true);
    EXPECT_EQ(depots[1].refill(out, 1, true, &zeroed, &why), 0U);
    EXPECT_EQ(why, RegionFailure::no_region);
    fake_os::reset();
    EXPECT_EQ(depots[1].refill(out, 1, true, &zeroed, &why), 1U);
}

TEST_F(DepotTest, WhileAFlushIsDueOnlyPagesThatHoldMemoryAreTakenWithoutLeaveToGrow) {
    constexpr uint32_t kObjects = kRegionPageSize / 960;
    const ClassIndex small = size_classes.class_of(960);
    const ClassIndex other = size_classes.class_of(2048);
    void* out[2 * kObjects];
    bool zeroed = false;
    RegionFailure why{};
    ASSERT_EQ(depots[small].refill(out, kObjects, false, &zeroed, &why), kObjects) << "no flush is due";
    void* large = nullptr;
    const ClassIndex pages = size_classes.class_of(kRegionPageSize);
    while (depots[pages].refill(&large, 1, false, &zeroed, &why) != 0) {
        ASSERT_LE(region.stats().in_use_bytes, 2 * MiB) << "it never calls for a flush";
    }
    EXPECT_EQ(why, RegionFailure::would_grow);
    EXPECT_EQ(depots[other].refill(out + kObjects, 1, false, &zeroed, &why), 0U);
    for (uint32_t i = 0; i < kObjects; ++i) {
        ASSERT_TRUE(depots[small].put_back_checked(out[i], "free"));
    }
    EXPECT_EQ(depots[other].refill(out, kObjects, false, &zeroed, &why), 0U) << "the newest are held back";
    depots[small].reap(true);
    EXPECT_EQ(depots[other].refill(out, kObjects, false, &zeroed, &why), kRegionPageSize / 2048)
        << "the page that came free";
    EXPECT_EQ(out[0], region.address({0}));
    EXPECT_EQ(depots[other].refill(out, 1, true, &zeroed, &why), 1U);
}

TEST_F(DepotTest, ThreadsExchangeObjectsAndNoneIsLostOrDoubled) {
    constexpr int kThreads = 4;
    std::vector<std::thread> threads;
    threads.reserve(kThreads);
    std::vector<std::set<void*>> left(kThreads);
    for (int t = 0; t < kThreads; ++t) {
        threads.emplace_back([t, &left] {
            std::mt19937 random(static_cast<unsigned>(t));
            std::vector<void*> live;
            for (int step = 0; step < 4'000; ++step) {
                fake_os::run_on(random() % 80);  // every shelf and store has visitors
                if (random() % 2 == 0 || live.size() < 100) {
                    for (void* object : take(3, 1 + random() % 100)) {
                        auto* owner = static_cast<std::atomic<int>*>(object);
                        owner->store(t, std::memory_order_relaxed);
                        live.push_back(object);
                    }
                } else {
                    const auto count = static_cast<long>(1 + random() % 100);
                    for (auto object = live.end() - count; object != live.end(); ++object) {
                        ASSERT_EQ(static_cast<std::atomic<int>*>(*object)->load(std::memory_order_relaxed),
                                  t);
                    }
                    put_back(3, {live.end() - count, live.end()});
                    live.resize(live.size() - static_cast<size_t>(count));
                }
                if (random() % 200 == 0) {
                    depots[3].reap(t == 0);
                }
            }
            left[static_cast<size_t>(t)].insert(live.begin(), live.end());
            EXPECT_EQ(left[static_cast<size_t>(t)].size(), live.size());
        });
    }
    size_t count = 0;
    std::set<void*> all;
    for (int t = 0; t < kThreads; ++t) {
        threads[static_cast<size_t>(t)].join();
        count += left[static_cast<size_t>(t)].size();
        all.merge(left[static_cast<size_t>(t)]);
    }
    EXPECT_EQ(all.size(), count);
    for (void* object : all) {
        put_back(3, {object});
    }
    depots[3].reap(true);
    EXPECT_EQ(depots[3].stats().spans, 0U);
    EXPECT_EQ(region.stats().in_use_bytes, 0U);
}

TEST_F(DepotTest, MisuseThatIsOnlyWarnedOfChangesNothing) {
    set_on_error(OnError::warn);
    const std::vector<void*> objects = take(1, 8);
    testing::internal::CaptureStderr();
    EXPECT_FALSE(depots[1].put_back_checked(static_cast<char*>(objects[2]) + 16, "free"));
    EXPECT_TRUE(depots[1].put_back_checked(objects[2], "free"));
    EXPECT_FALSE(depots[1].put_back_checked(objects[2], "free"));
    const std::string said = testing::internal::GetCapturedStderr();
    EXPECT_NE(said.find("interior pointer into an object of 64 bytes"), std::string::npos) << said;
    EXPECT_NE(said.find("double free"), std::string::npos) << said;
    EXPECT_NE(take(1, 1)[0], objects[2]);
    depots[1].reap(true);
    EXPECT_EQ(take(1, 1)[0], objects[2]);
}

TEST_F(DepotTest, ALateFreeOfAnotherThreadIsHeldBackAndCanBeUndone) {
    const std::vector<void*> objects = take(1, 12);
    const std::set<void*> held(objects.end() - 8, objects.end());
    for (const bool checked : {true, false}) {
        std::thread([&] {
            for (void* p : objects) {
                checked ? (void)depots[1].put_back_checked(p, "free") : depots[1].put_back_late(p);
            }
        }).join();
        const std::vector<void*> next = take(1, 100);
        EXPECT_TRUE(std::any_of(next.begin(), next.end(), [&](void* p) { return p == objects[3]; }));
        EXPECT_TRUE(std::none_of(next.begin(), next.end(), [&](void* p) { return held.contains(p); }));
        EXPECT_EQ(depots[1].undo_newest_frees(), 8U);
    }
    EXPECT_TRUE(depots[1].put_back_checked(objects.back(), "free")) << "it is live again";
    EXPECT_EQ(depots[1].undo_newest_frees(), 0U) << "this thread is not lost";
}

TEST_F(DepotTest, ADoubleFreeOnTheShelfIsFoundWhenItIsReapedAndThePeakStaysRight) {
    set_on_error(OnError::warn);
    const std::vector<void*> objects = take(1, 3);
    put_back(1, {objects[0], objects[0], objects[0], objects[1], objects[2]});
    take(1, 1);
    EXPECT_EQ(depots[1].stats().peak_outside, 3U) << "fewer than none are outside";
    put_back(1, {objects[0]});
    testing::internal::CaptureStderr();
    depots[1].reap(true);
    EXPECT_NE(testing::internal::GetCapturedStderr().find("double free"), std::string::npos);
    take(1, 4);
    EXPECT_EQ(depots[1].stats().peak_outside, 4U);
}

TEST_F(DepotTest, APageThatMovedOnIsADoubleFree) {
    set_on_error(OnError::warn);
    void* object = take(1, 1)[0];
    EXPECT_TRUE(depots[1].put_back_checked(object, "free"));
    depots[1].reap(true);  // its span is empty, so the page goes back
    const std::vector<void*> other = take(2, 1);
    ASSERT_EQ(other[0], object) << "the page serves another class now";
    testing::internal::CaptureStderr();
    EXPECT_FALSE(depots[1].put_back_checked(object, "free"));
    EXPECT_NE(testing::internal::GetCapturedStderr().find("double free"), std::string::npos);
    testing::internal::CaptureStderr();
    put_back(1, {object});
    depots[1].reap(true);  // the shelf notices only now
    EXPECT_NE(testing::internal::GetCapturedStderr().find("double free"), std::string::npos);
    EXPECT_TRUE(depots[2].put_back_checked(object, "free")) << "the other class's object is live";
}

}  // namespace
