// SPDX-License-Identifier: MIT
//
// Compares a span's bitmap with a sorted set.
#include "page_heap/span.h"
#include "random_classes.h"

#include <cstdlib>
#include <gtest/gtest.h>
#include <memory>
#include <random>
#include <set>

namespace {

using namespace hotlane;

constexpr uintptr_t kBase = uintptr_t{1} << 40;  // spans only compute with this address

struct FreeMemory {
    void operator()(void* p) const { std::free(p); }
};

/// `count` adjacent spans at ascending addresses, as in the region.
class Spans {
  public:
    explicit Spans(size_t count)
        : bytes_{Span::metadata_bytes(size_classes.most_objects)}, memory_{static_cast<std::byte*>(
                                                                       std::calloc(count, bytes_))} {}
    Span* at(size_t i) { return reinterpret_cast<Span*>(memory_.get() + i * bytes_); }

  private:
    size_t bytes_;
    std::unique_ptr<std::byte, FreeMemory> memory_;
};

/// A class of one of several tables.
struct ClassOfTable {
    ClassTable table;
    ClassIndex c;
};

std::vector<ClassOfTable> classes_of_tables() {
    std::vector<ClassOfTable> all;
    for (const ClassTable& table : {ClassTable{}, random_classes(5), random_classes(6)}) {
        for (ClassIndex c = 1; c < build_size_classes(table).count; ++c) {
            all.push_back({table, c});
        }
    }
    return all;
}

class SpanOfClass : public testing::TestWithParam<ClassOfTable> {
  protected:
    void SetUp() override { size_classes = build_size_classes(GetParam().table); }
    void TearDown() override { size_classes = build_size_classes({}); }
    const ClassIndex class_ = GetParam().c;
};

INSTANTIATE_TEST_SUITE_P(Classes, SpanOfClass, testing::ValuesIn(classes_of_tables()));

TEST_P(SpanOfClass, LowestAddressFirstAndNoObjectLostOrDoubled) {
    const SizeClass& c = size_classes[class_];
    constexpr uint32_t kPage = 5;
    Spans spans(1);
    Span& span = *spans.at(0);
    span.open({kPage}, class_, true);
    EXPECT_TRUE(span.empty());
    std::set<uintptr_t> free_objects;
    std::set<uintptr_t> never_used;
    for (uint32_t i = 0; i < c.object_count; ++i) {
        free_objects.insert(kBase + kPage * kRegionPageSize + c.first_object_at(kPage) +
                            size_t{i} * c.object_size);
    }
    never_used = free_objects;
    std::vector<uintptr_t> live;
    std::mt19937 random(class_);
    for (int step = 0; step < 3'000; ++step) {
        if (random() % 2 == 0 && !span.exhausted()) {
            void* out[64];
            bool zeroed = false;
            const uint32_t wanted = 1 + random() % 64;
            const uint32_t taken = span.take(kBase, out, wanted, &zeroed);
            ASSERT_EQ(taken, std::min<size_t>(wanted, free_objects.size()));
            ASSERT_TRUE(!zeroed || never_used.contains(address_of(out[0])));
            ASSERT_TRUE(zeroed || !never_used.contains(address_of(out[0]))) << "zeroing for nothing";
            for (uint32_t i = 0; i < taken; ++i) {
                ASSERT_EQ(address_of(out[i]), *free_objects.begin());
                live.push_back(address_of(out[i]));
                never_used.erase(*free_objects.begin());
                free_objects.erase(free_objects.begin());
            }
        } else if (!live.empty()) {
            // Frees several objects at once, then the first of them again, and after them an object of
            // another span.
            std::vector<void*> run;
            for (size_t wanted = 1 + random() % 40; run.size() != wanted && !live.empty(); live.pop_back()) {
                std::swap(live[random() % live.size()], live.back());
                run.push_back(pointer_to(live.back()));
                free_objects.insert(live.back());
            }
            const auto count = static_cast<uint32_t>(run.size());
            run.push_back(run.front());
            PutBackResult result{};
            ASSERT_EQ(span.put_back(kBase, run.data(), count + 1, &result), count);
            ASSERT_EQ(result, PutBackResult::double_free);
            run.back() = pointer_to(kBase + (kPage + c.span_pages) * kRegionPageSize);
            ASSERT_EQ(span.put_back(kBase, run.data() + count, 1, &result), 0U);
            ASSERT_EQ(result, PutBackResult::ok);
        }
        ASSERT_EQ(span.free_count(), free_objects.size());
        ASSERT_EQ(span.exhausted(), free_objects.empty());
        ASSERT_EQ(span.empty(), live.empty());
    }
}

TEST_P(SpanOfClass, EveryOffsetThatIsNoObjectIsRefused) {
    const SizeClass& c = size_classes[class_];
    Spans spans(1);
    Span& span = *spans.at(0);
    for (const uint32_t page : {0U, 1U, 2U, 31U}) {
        span.open({page}, class_, true);
        std::set<size_t> objects;
        for (uint32_t i = 0; i < c.object_count; ++i) {
            objects.insert(c.first_object_at(page) + size_t{i} * c.object_size);
        }
        for (size_t offset = 0; offset < c.span_pages * kRegionPageSize; offset += 8) {
            void* const p = pointer_to(kBase + page * kRegionPageSize + offset);
            const auto wrong =
                objects.contains(offset) ? PutBackResult::double_free : PutBackResult::interior_pointer;
            PutBackResult result{};
            ASSERT_EQ(span.put_back(kBase, &p, 1, &result), 0U);
            ASSERT_EQ(result, wrong) << offset;
            ASSERT_EQ(span.judge(kBase, p), wrong) << offset;
        }
        EXPECT_TRUE(span.empty());
    }
}

TEST(Span, TheFirstLinesOfObjectsAreSpreadOverTheSetsOfACache) {
    constexpr size_t kSets = 64;  // lines of 4 KiB, as in a first-level cache
    constexpr uint32_t kSpans = 64;
    for (ClassIndex c = 1; size_classes[c].object_size <= 1024; ++c) {
        const SizeClass& size_class = size_classes[c];
        std::set<size_t> sets;
        for (uint32_t page = 0; page < kSpans * size_class.span_pages; page += size_class.span_pages) {
            const size_t first = page * kRegionPageSize + size_class.first_object_at(page);
            const size_t end = first + size_t{size_class.object_count} * size_class.object_size;
            ASSERT_LE(end, (page + size_class.span_pages) * kRegionPageSize);
            for (size_t at = first; at != end; at += size_class.object_size) {
                sets.insert(at / 64 % kSets);
            }
        }
        EXPECT_GE(sets.size(), kSets / 4) << size_class.object_size;
    }
}

TEST_P(SpanOfClass, PagesThatWereUsedAreNotZero) {
    Spans spans(1);
    Span& span = *spans.at(0);
    span.open({0}, class_, false);
    while (!span.exhausted()) {
        void* object = nullptr;
        bool zeroed = true;
        span.take(kBase, &object, 1, &zeroed);
        ASSERT_FALSE(zeroed);
    }
}

}  // namespace
