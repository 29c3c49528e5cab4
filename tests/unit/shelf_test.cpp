// SPDX-License-Identifier: MIT
//
// Tests a shelf against a simple model, and the numbers of magazines.
#include "depot/shelf.h"

#include "fake_os.h"

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <gtest/gtest.h>
#include <random>
#include <set>
#include <vector>

namespace {

using namespace hotlane;

/// The magazines of the stack, the newest in front; each has its objects newest first.
class Model {
  public:
    using Objects = std::vector<void*>;

    std::deque<Objects> stack;

    size_t objects() const {
        size_t sum = 0;
        for (const Objects& one : stack) {
            sum += one.size();
        }
        return sum;
    }
    static Objects split(Objects& from, bool newest, size_t count) {
        const auto middle =
            newest ? from.begin() + static_cast<long>(count) : from.end() - static_cast<long>(count);
        Objects taken = newest ? Objects(from.begin(), middle) : Objects(middle, from.end());
        newest ? from.erase(from.begin(), middle) : from.erase(middle, from.end());
        return taken;
    }
};

/// A shelf, its model, and two threads' spare magazines. Every operation is done to both.
class ShelfTest : public testing::Test {
  protected:
    void SetUp() override {
        fake_os::reset();
        fake_os::run_on(0);  // one list of empty magazines
    }
    void TearDown() override {
        empty();
        const auto put_all = [this](auto take) {
            for (MagazineNumber magazine; !(magazine = take()).is_none();) {
                give(magazine, nullptr);
            }
        };
        put_all([this] { return shelf_.take_empty(); });
        for (SpareMagazines& spare : spares_) {
            put_all([&spare] { return spare.take(); });
        }
        EXPECT_EQ(owned_, 0) << "magazines were lost, or are in two places";
        fake_os::reset();
    }

    uint32_t random(uint32_t below) { return static_cast<uint32_t>(random_()) % below; }
    SpareMagazines* spare() { return random(4) == 0 ? nullptr : &spares_[random(2)]; }
    Model::Objects fresh(uint32_t count) {
        Model::Objects objects(count);
        for (void*& object : objects) {
            object = pointer_to(next_ += 64);
        }
        return objects;
    }

    void push(uint32_t count, bool newest, SpareMagazines* spare) {
        const Model::Objects objects = fresh(count);
        MagazineNumber magazine = spare != nullptr ? spare->take() : MagazineNumber{};
        if (magazine.is_none()) {
            magazine = magazines::take();
            ++owned_;
        }
        Loaded loaded(magazine, 0);
        loaded.add(objects.data(), count);
        newest ? shelf_.push(loaded, spare) : shelf_.push_behind(loaded);
        newest ? model_.stack.push_front(objects) : model_.stack.push_back(objects);
    }
    void give(MagazineNumber magazine, SpareMagazines* spare) {
        if (spare == nullptr || !spare->keep(magazine)) {
            magazines::put(magazine);
            --owned_;
        }
    }
    void pop(uint32_t wanted, SpareMagazines* spare) {
        Loaded top = shelf_.pop(wanted, spare);
        if (model_.stack.empty() || model_.stack.front().size() > wanted) {
            ASSERT_EQ(top.count(), 0U);
            return;
        }
        const Model::Objects& expected = model_.stack.front();
        ASSERT_EQ(Model::Objects(top.newest(), top.newest() + top.count()), expected);
        give(top.magazine(), spare);
        model_.stack.pop_front();
    }
    void take(uint32_t count) {
        if (!model_.stack.empty() && model_.stack.front().size() > count) {
            Model::Objects out(count);
            shelf_.take(out.data(), count);
            ASSERT_EQ(out, Model::split(model_.stack.front(), true, count));
        }
    }
    void add(uint32_t count, bool newest) {
        const Model::Objects objects = fresh(count);
        const bool done =
            newest ? shelf_.add(objects.data(), count) : shelf_.add_behind(objects.data(), count);
        Model::Objects* const place = model_.stack.empty() ? nullptr
                                      : newest             ? &model_.stack.front()
                                                           : &model_.stack.back();
        ASSERT_EQ(done, place != nullptr && place->size() + count <= Magazine::kSlots);
        if (done) {
            place->insert(newest ? place->begin() : place->end(), objects.begin(), objects.end());
        }
    }
    void drop(uint32_t count, SpareMagazines* spare) {
        if (model_.stack.empty()) {
            return;
        }
        void* buffer[Magazine::kSlots];
        const Shelf::Dropped dropped = shelf_.drop_oldest(count, Shelf::kFew, buffer);
        Model::Objects& lowest = model_.stack.back();
        const bool whole = lowest.size() <= count + Shelf::kFew;
        ASSERT_EQ(Model::Objects(dropped.objects, dropped.objects + dropped.count),
                  Model::split(lowest, false, whole ? lowest.size() : count));
        ASSERT_EQ(dropped.magazine.is_none(), !whole);
        if (whole) {
            model_.stack.pop_back();
            give(dropped.magazine, spare);
        }
    }
    void make_room() {
        while (shelf_.is_full()) {
            ASSERT_NE(shelf_.objects(), 0U) << "nothing can be dropped";
            drop(Magazine::kSlots, nullptr);
        }
    }
    void empty() {
        while (!model_.stack.empty() && !HasFatalFailure()) {
            pop(Magazine::kSlots, nullptr);
        }
    }

    Shelf shelf_;
    Model model_;
    SpareMagazines spares_[2];
    int owned_ = 0;  // magazines on the shelf and in the spares
    uintptr_t next_ = 0;
    std::mt19937 random_{1};
};

TEST_F(ShelfTest, TheStackRisesAndFallsAtEveryDepth) {
    for (uint32_t depth = 1; depth <= 70; ++depth) {
        for (uint32_t i = 0; i != depth && !shelf_.is_full(); ++i) {
            push(1 + i, true, &spares_[0]);
        }
        ASSERT_EQ(shelf_.objects(), model_.objects());
        for (uint32_t i = 0; i != depth; ++i) {
            pop(Magazine::kSlots, &spares_[1]);
            ASSERT_FALSE(HasFatalFailure()) << depth;
        }
        ASSERT_EQ(shelf_.objects(), 0U);
    }
}

TEST_F(ShelfTest, EveryOperationDoesWhatTheModelDoes) {
    size_t deepest = 0;
    for (int phase = 0; phase < 200; ++phase) {
        const uint32_t pushes =
            20 + random(60);  // of a hundred operations: the stack mostly rises, or mostly falls
        for (int step = 0; step < 300; ++step) {
            SpareMagazines* const visitor = spare();
            if (random(100) < pushes) {
                push(1 + random(Magazine::kSlots), random(20) != 0, visitor);
            } else {
                pop(random(3) != 0 ? Magazine::kSlots : random(Magazine::kSlots), visitor);
            }
            switch (random(12)) {
            case 0:
                take(1 + random(Shelf::kFew));
                break;
            case 1:
                add(1 + random(Shelf::kFew), true);
                break;
            case 2:
                add(1 + random(Shelf::kFew), false);
                break;
            case 3:
                drop(1 + random(Magazine::kSlots), visitor);
                break;
            case 4:
                if (const MagazineNumber magazine = shelf_.take_empty(); !magazine.is_none()) {
                    give(magazine, nullptr);
                }
                break;
            default:
                break;
            }
            make_room();
            ASSERT_FALSE(HasFatalFailure()) << phase << " " << step;
            ASSERT_EQ(shelf_.objects(), model_.objects());
            ASSERT_LE(shelf_.least_objects(), shelf_.objects());
            deepest = std::max(deepest, model_.stack.size());
        }
    }
    EXPECT_GT(deepest, 64U);
}

TEST_F(ShelfTest, AShelfThatIsFullOfEmptyMagazinesGetsRoom) {
    // Whoever pushes takes no empty magazine, and whoever pops leaves one: they collect on the shelf.
    for (int turn = 0; turn < 200 && !HasFatalFailure(); ++turn) {
        for (int i = 0; i < 12; ++i) {
            push(Magazine::kSlots, true, nullptr);
            make_room();
        }
        for (int i = 0; i < 12; ++i) {
            if (spares_[0].count() == 0) {
                spares_[0].keep(magazines::take());
                ++owned_;
            }
            pop(Magazine::kSlots, &spares_[0]);
        }
    }
    EXPECT_GT(shelf_.empties(), 60U);
    push(1, true, nullptr);
    make_room();
    EXPECT_FALSE(shelf_.is_full());
}

TEST(Magazines, EachHasItsOwnNumberAndTheyAreBounded) {
    // In a child, so that the other tests have magazines left.
    fake_os::run_on(0);
    const auto use_up = [] {
        constexpr uint32_t kMost = magazines::kMostChunks * magazines::kInChunk;
        std::vector<bool> seen(kMost + magazines::kInChunk);
        uint32_t count = 0;
        MagazineNumber last;
        for (MagazineNumber next; !(next = magazines::take()).is_none(); last = next, ++count) {
            if (next.value >= seen.size() || seen[next.value] || count == kMost) {
                _Exit(1);
            }
            seen[next.value] = true;
        }
        magazines::put(last);
        _Exit(count + 1 > kMost - 2 * magazines::kInChunk && magazines::take() == last ? 0 : 2);
    };
    EXPECT_EXIT(use_up(), testing::ExitedWithCode(0), "");
    fake_os::reset();
}

}  // namespace
