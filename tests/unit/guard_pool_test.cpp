// SPDX-License-Identifier: MIT
//
// Tests the slots of guarded objects: where objects lie, what is accessible, and which slot is reused.
#include "guards/guard_pool.h"

#include "fake_os.h"

#include <gtest/gtest.h>

#include <cstring>
#include <set>
#include <vector>

namespace {

using namespace hotlane;
using Place = GuardPool::Place;

constexpr size_t kSmallSlots = 224;

bool is_readable(uintptr_t address) { return inspect::is_readable(address, address + 1); }

class GuardPoolTest : public testing::Test {
  protected:
    void SetUp() override {
        fake_os::reset();
        ASSERT_TRUE(pool.set_up());
    }
    void TearDown() override { fake_os::reset(); }

    GuardPool pool;
};

TEST_F(GuardPoolTest, ObjectsLieAtTheirAlignmentBesideAGuardPage) {
    for (const size_t alignment : {16U, 64U, 256U, 4096U}) {
        for (const size_t size : {0U, 1U, 16U, 100U, 4000U, 4096U, 5000U, 16384U, 20000U, 65536U}) {
            for (const Place place : {Place::left, Place::right}) {
                GuardedObject* object = pool.take(size, alignment, place);
                ASSERT_NE(object, nullptr) << size << " at " << alignment;
                EXPECT_EQ(object->size, std::max<size_t>(size, 1));
                EXPECT_EQ(object->begin % alignment, 0U);
                const uintptr_t edge =
                    place == Place::left ? object->begin - 1 : round_up(object->end(), alignment);
                EXPECT_FALSE(is_readable(edge)) << size << " at " << alignment;
                EXPECT_TRUE(pool.extent().contains(edge));
                memset(pointer_to(object->begin), 1, object->size);
                EXPECT_EQ(pool.overwritten(*object), 0U);
                EXPECT_EQ(pool.find(pointer_to(object->begin)), object);
                EXPECT_EQ(pool.find(pointer_to(object->begin + 1)), nullptr);
                pool.put_back(*object);
            }
        }
    }
    EXPECT_EQ(pool.take(65537, 16, Place::right), nullptr);
    EXPECT_EQ(pool.take(100, 2 * os::page_size(), Place::right), nullptr);
}

TEST_F(GuardPoolTest, SlotsAreWholePagesOfEveryKernel) {
    for (const size_t page_size : {16 * KiB, 64 * KiB}) {
        fake_os::set_page_size(page_size);
        GuardPool large;
        ASSERT_TRUE(large.set_up());
        for (const size_t size : {100U, 5000U, 40000U, 65536U}) {
            GuardedObject* const object = large.take(size, 16, Place::right);
            ASSERT_NE(object, nullptr) << size;
            memset(pointer_to(object->begin), 1, size);
            EXPECT_EQ(round_up(object->end(), 16) % page_size, 0U);
            EXPECT_FALSE(is_readable(round_up(object->end(), 16)));
            large.put_back(*object);
            EXPECT_FALSE(is_readable(object->begin)) << "a freed object is inaccessible";
        }
    }
}

TEST_F(GuardPoolTest, AFreedObjectIsInaccessibleUntilEveryOtherSlotWasTaken) {
    GuardedObject* first = pool.take(100, 64, Place::right);
    const uintptr_t address = first->begin;
    pool.put_back(*first);
    EXPECT_FALSE(is_readable(address));
    EXPECT_EQ(pool.find(pointer_to(address)), nullptr);
    for (size_t i = 1; i < kSmallSlots; ++i) {
        GuardedObject* next = pool.take(100, 64, Place::right);
        ASSERT_NE(next, first);
        pool.put_back(*next);
    }
    EXPECT_FALSE(is_readable(address));
    EXPECT_EQ(pool.quarantined(), kSmallSlots);
    EXPECT_EQ(pool.take(100, 64, Place::right), first);
    EXPECT_TRUE(is_readable(address));
    EXPECT_EQ(pool.quarantined(), kSmallSlots - 1);
}

TEST_F(GuardPoolTest, WhenAllAreLiveThereIsNoneAndTheNextFreeGivesOne) {
    std::set<uintptr_t> begins;
    GuardedObject* last = nullptr;
    for (size_t i = 0; i < kSmallSlots; ++i) {
        last = pool.take(10, 16, Place::left);
        ASSERT_NE(last, nullptr);
        begins.insert(last->begin);
    }
    EXPECT_EQ(begins.size(), kSmallSlots);
    EXPECT_EQ(pool.live(), kSmallSlots);
    EXPECT_EQ(pool.take(10, 16, Place::left), nullptr);
    EXPECT_NE(pool.take(5000, 16, Place::left), nullptr);  // of another size
    pool.put_back(*last);
    EXPECT_EQ(pool.take(10, 16, Place::left), last);
}

TEST_F(GuardPoolTest, AFreeOfALostThreadMayComeOnceMore) {
    constexpr uint32_t kOwnThread = 1;
    constexpr uint32_t kLostThread = 2;
    std::vector<GuardedObject*> objects;
    for (size_t i = 0; i < kSmallSlots; ++i) {
        objects.push_back(pool.take(100, 64, Place::right));
        objects.back()->freed.thread = i % 2 == 0 ? kOwnThread : kLostThread;
    }
    for (GuardedObject* object : objects) {
        pool.put_back(*object);
    }
    pool.expect_frees_again(kOwnThread);
    const auto start_of = [&](size_t i) { return pointer_to(objects[i]->begin); };
    const size_t oldest = kSmallSlots - 15;  // one of the newest eight of the lost thread
    EXPECT_FALSE(pool.forgive(start_of(oldest - 1)));
    EXPECT_FALSE(pool.forgive(start_of(oldest - 2)));
    for (size_t i = 0; i < kSmallSlots - 8; ++i) {
        GuardedObject* object = pool.take(100, 64, Place::right);
        ASSERT_NE(object, nullptr);
        EXPECT_FALSE(object->expected);
    }
    EXPECT_EQ(pool.take(100, 64, Place::right), nullptr) << "the others are expected again";
    EXPECT_TRUE(pool.forgive(start_of(oldest)));
    EXPECT_FALSE(pool.forgive(start_of(oldest)));
    EXPECT_EQ(pool.take(100, 64, Place::right), objects[oldest]);
}

TEST_F(GuardPoolTest, AByteBesideTheObjectIsMissed) {
    GuardedObject* object = pool.take(100, 64, Place::right);
    auto* const bytes = static_cast<char*>(pointer_to(object->begin));
    for (const ptrdiff_t offset : {100, 127, -1, -512}) {
        char& byte = bytes[offset];
        const char before = byte;
        byte = 0;
        EXPECT_EQ(pool.overwritten(*object), address_of(&byte)) << offset;
        byte = before;
    }
    EXPECT_EQ(pool.overwritten(*object), 0U);
}

TEST_F(GuardPoolTest, AnAddressIsOfTheNearestObject) {
    GuardedObject* left = pool.take(4096, 16, Place::left);
    GuardedObject* right = pool.take(4096, 16, Place::left);
    ASSERT_EQ(right->begin, left->end() + os::page_size());
    EXPECT_EQ(pool.find_around(left->begin - 1), left);
    EXPECT_EQ(pool.find_around(left->begin + 5), left);
    EXPECT_EQ(pool.find_around(left->end()), left);
    EXPECT_EQ(pool.find_around(left->end() + os::page_size() / 2 + 1), right);
    EXPECT_EQ(pool.find_around(right->begin - 1), right);
    EXPECT_EQ(pool.find_around(right->end() + os::page_size()), right);  // a slot that was never used
    EXPECT_EQ(pool.find_around(pool.extent().end - 1), nullptr);
    pool.put_back(*left);
    EXPECT_EQ(pool.find_around(left->begin + 5), left);
}

TEST_F(GuardPoolTest, AnOpenedPageIsClosedWhenASlotBesideItIsTaken) {
    GuardedObject* object = pool.take(4096, 16, Place::right);
    const uintptr_t beyond = object->end();
    EXPECT_TRUE(pool.open_page(beyond));
    EXPECT_TRUE(is_readable(beyond));
    GuardedObject* next = pool.take(10, 16, Place::left);
    EXPECT_EQ(next->begin, beyond + os::page_size());
    EXPECT_FALSE(is_readable(beyond));
    pool.put_back(*object);
    EXPECT_TRUE(pool.open_page(object->begin));
    EXPECT_TRUE(is_readable(object->begin));
}

TEST_F(GuardPoolTest, ASystemThatRefusesGuardsNothing) {
    GuardPool none;
    fake_os::fail_nth(fake_os::Call::reserve, 1);
    EXPECT_FALSE(none.set_up());
    EXPECT_EQ(none.take(10, 16, Place::left), nullptr);
    const size_t reserved = fake_os::reserved_bytes();
    fake_os::fail_nth(fake_os::Call::map, 1);
    EXPECT_FALSE(none.set_up());
    EXPECT_EQ(fake_os::reserved_bytes(), reserved);

    fake_os::fail_nth(fake_os::Call::commit, 1);
    EXPECT_EQ(pool.take(10, 16, Place::left), nullptr);
    EXPECT_EQ(pool.live(), 0U);
    GuardedObject* object = pool.take(10, 16, Place::left);
    ASSERT_NE(object, nullptr);
    fake_os::fail_nth(fake_os::Call::block, 1);
    pool.put_back(*object);  // still accessible, but free
    EXPECT_EQ(pool.live(), 0U);
    EXPECT_EQ(pool.find(pointer_to(object->begin)), nullptr);
}

TEST_F(GuardPoolTest, TakesLittleOfEverything) {
    EXPECT_LE(pool.extent().end - pool.extent().begin, 3 * MiB);
    size_t bytes = 0;
    for (const size_t size : {4096U, 16384U, 65536U}) {
        while (pool.take(size, 64, Place::right) != nullptr) {
            bytes += size;
        }
    }
    EXPECT_LE(bytes + pool.live() * sizeof(GuardedObject), 2 * MiB);
}

}  // namespace
