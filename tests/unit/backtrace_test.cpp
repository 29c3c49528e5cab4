// SPDX-License-Identifier: MIT
//
// Tests the reading of unwind tables, and compares stacks taken by rules with those that libunwind finds.
#include "profiler/stack/backtrace.h"
#include "profiler/stack/cfa_cache.h"
#include "profiler/stack/cfi_interpreter.h"

#include <algorithm>
#include <alloca.h>
#include <csignal>
#include <cstdlib>
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using namespace hotlane;
using unwind_table::Row;
using unwind_table::Saved;

// ---- one row of a table -----------------------------------------------------------------------------------

constexpr unwind_table::Registers kRegisters{.frame_pointer = 6, .return_address = 16};
using Bytes = std::vector<uint8_t>;

/// An .eh_frame of one CIE and one FDE, as assemblers write it: CFA = r7 + 8, the return address at CFA - 8.
class Table {
  public:
    explicit Table(const Bytes& instructions, const std::string& augmentation = "zR") {
        Bytes common{1};
        common.insert(common.end(), augmentation.begin(), augmentation.end());
        const Bytes rest{0, 1, 0x78, 16, 1, 0x1B, 0x0C, 7, 8, 0x90, 1};
        common.insert(common.end(), rest.begin(), rest.end());
        append(0, common);
        entry_ = bytes_.size();
        Bytes own(9, 0);  // start and length of the function, empty augmentation
        own.insert(own.end(), instructions.begin(), instructions.end());
        append(static_cast<uint32_t>(entry_) + 4, own);
    }
    bool read(uintptr_t offset, Row& row) const {
        return unwind_table::read(&bytes_[entry_], offset, kRegisters, row);
    }

  private:
    void append(uint32_t id, const Bytes& content) {
        for (const uint32_t word : {static_cast<uint32_t>(content.size()) + 4, id}) {
            for (unsigned shift = 0; shift < 32; shift += 8) {
                bytes_.push_back(static_cast<uint8_t>(word >> shift));
            }
        }
        bytes_.insert(bytes_.end(), content.begin(), content.end());
    }
    Bytes bytes_;
    size_t entry_ = 0;
};

struct Expected {
    uintptr_t offset;
    uint64_t cfa_register;
    int64_t cfa_offset;
    int64_t frame_pointer_offset;  // 0: unchanged
};

void expect_rows(const Table& table, const std::vector<Expected>& rows) {
    for (const Expected& expected : rows) {
        Row row;
        ASSERT_TRUE(table.read(expected.offset, row)) << expected.offset;
        EXPECT_EQ(row.cfa_register, expected.cfa_register) << expected.offset;
        EXPECT_EQ(row.cfa_offset, expected.cfa_offset) << expected.offset;
        EXPECT_EQ(row.frame_pointer.offset, expected.frame_pointer_offset) << expected.offset;
        EXPECT_EQ(row.return_address.offset, -8) << expected.offset;
    }
}

TEST(UnwindTable, AFunctionWithAFramePointer) {
    // push rbp; mov rbp, rsp; ... leave
    const Table table({0x41, 0x0E, 16, 0x86, 2, 0x43, 0x0D, 6, 0x02, 0x40, 0xC6, 0x0C, 7, 8});
    expect_rows(
        table,
        {{0, 7, 8, 0}, {1, 7, 16, -16}, {3, 7, 16, -16}, {4, 6, 16, -16}, {67, 6, 16, -16}, {68, 7, 8, 0}});
}

TEST(UnwindTable, StatesAreRememberedAndRecalled) {
    const Table table(
        {0x44, 0x0E, 0x80, 0x02, 0x0A, 0x48, 0x0E, 8, 0x03, 0x00, 0x01, 0x0B, 0x04, 0, 0, 1, 0, 0x0E, 24});
    expect_rows(table,
                {{4, 7, 256, 0}, {12, 7, 8, 0}, {267, 7, 8, 0}, {268, 7, 256, 0}, {268 + 65536, 7, 24, 0}});
}

TEST(UnwindTable, WhatHasNoSimpleMeaningIsRefused) {
    Row row;
    EXPECT_FALSE(Table({0x0F, 2, 0x77, 8}).read(0, row));  // the CFA is an expression
    EXPECT_FALSE(Table({0x0B}).read(0, row));              // restore_state without remember_state
    EXPECT_FALSE(Table({0x0A, 0x0A, 0x0A, 0x0A, 0x0A}).read(0, row));
    EXPECT_FALSE(Table({}, "zRS").read(0, row));  // a signal frame
    EXPECT_FALSE(Table({0x3F}).read(0, row));
    EXPECT_TRUE(Table({0x50, 0x0F, 2, 0x77, 8}).read(15, row));  // the row before the expression
    ASSERT_TRUE(Table({0x10, 6, 1, 0x50}).read(0, row));
    EXPECT_EQ(row.frame_pointer.how, Saved::How::otherwise);
    ASSERT_TRUE(Table({0x07, 16}).read(0, row));
    EXPECT_EQ(row.return_address.how, Saved::How::undefined);
}

// ---- stacks -----------------------------------------------------------------------------------------------

using Frames = std::vector<uintptr_t>;
struct Stacks {
    Frames by_rules;
    Frames by_libunwind;
};

using Unwind = int (*)(void** frames, int capacity);
/// Looked up only once, because a signal handler uses it, too.
Unwind libunwind() {
    static void* const library = dlopen("libunwind.so.8", RTLD_NOW | RTLD_LOCAL);
    static const auto found =
        library == nullptr ? nullptr : reinterpret_cast<Unwind>(dlsym(library, "unw_backtrace"));
    return found;
}

uintptr_t find_stack_end() {
    pthread_attr_t attributes;
    void* lowest = nullptr;
    size_t size = 0;
    pthread_getattr_np(pthread_self(), &attributes);
    pthread_attr_getstack(&attributes, &lowest, &size);
    pthread_attr_destroy(&attributes);
    return address_of(lowest) + size;
}

/// The end of the stack of the only thread.
uintptr_t stack_end() {
    static const uintptr_t end = find_stack_end();
    return end;
}

constexpr size_t kMost = 256;

/// Takes both stacks, from the caller of this function on.
[[gnu::noinline]] void take_stacks(Stacks& stacks) {
    const auto* const frame = static_cast<const uintptr_t*>(__builtin_frame_address(0));
    uintptr_t frames[kMost];
    frame_rules::Walk walk{.at = {.pc = frame[1], .sp = address_of(frame + 2), .fp = frame[0]},
                           .readable_end = stack_end(),
                           .frames = frames,
                           .capacity = kMost,
                           .count = 0,
                           .needed_end = 0,
                           .guessed = false};
    frame_rules::Stop stop = frame_rules::follow(walk);
    while (stop == frame_rules::Stop::unseen) {
        frame_rules::learn(walk.at.pc);
        stop = frame_rules::follow(walk);
    }
    stacks.by_rules.clear();
    if (stop == frame_rules::Stop::done) {
        stacks.by_rules.assign(frames, frames + walk.count);
    }
    void* found[kMost];
    const int count = libunwind()(found, kMost);
    stacks.by_libunwind.clear();
    std::transform(found + std::min(count, 1), found + count, std::back_inserter(stacks.by_libunwind),
                   [](void* pc) { return address_of(pc); });
}

class StackTest : public testing::Test {
  protected:
    void SetUp() override {
        if (libunwind() == nullptr) {
            GTEST_SKIP() << "no libunwind.so.8";
        }
        EXPECT_TRUE(backtrace::load(Unwinder::libunwind));
        ASSERT_NE(stack_end(), 0U);
    }
    /// Compares all but the outermost frame: the two disagree on whether that one counts.
    void expect_same() const {
        ASSERT_GT(stacks_.by_rules.size(), 3U);
        ASSERT_LE(stacks_.by_rules.size(), stacks_.by_libunwind.size());
        ASSERT_GE(stacks_.by_rules.size() + 1, stacks_.by_libunwind.size());
        EXPECT_TRUE(
            std::equal(stacks_.by_rules.begin(), stacks_.by_rules.end(), stacks_.by_libunwind.begin()));
    }
    Stacks stacks_;
};

[[gnu::noinline]] void at_depth(Stacks& stacks, int depth, volatile char* local) {
    char here[64];
    here[0] = *local;
    if (depth == 0) {
        take_stacks(stacks);
    } else {
        at_depth(stacks, depth - 1, here);
    }
    asm volatile("" : : "r"(here) : "memory");
}

[[gnu::noinline]] void with_room(Stacks& stacks, size_t bytes) {
    auto* room = static_cast<volatile char*>(alloca(bytes));
    room[0] = 1;
    at_depth(stacks, 2, room);
    asm volatile("" : : "r"(room) : "memory");
}

TEST_F(StackTest, PlainFunctions) {
    char local = 0;
    for (const int depth : {0, 1, 40}) {
        at_depth(stacks_, depth, &local);
        expect_same();
    }
}

TEST_F(StackTest, FramesOfVaryingSize) {
    for (const size_t bytes : {16, 1000, 100'000}) {
        with_room(stacks_, bytes);
        expect_same();
    }
}

TEST_F(StackTest, CallbacksFromTheLibrary) {
    int numbers[]{3, 1, 2};
    static Stacks* stacks = nullptr;
    stacks = &stacks_;
    std::qsort(static_cast<void*>(numbers), 3, sizeof *numbers, [](const void*, const void*) {
        take_stacks(*stacks);
        return 0;
    });
    expect_same();
}

TEST_F(StackTest, HandlersOfExceptions) {
    try {
        throw std::runtime_error("unwound");
    } catch (const std::runtime_error&) {
        char local = 0;
        at_depth(stacks_, 3, &local);
    }
    expect_same();
}

TEST_F(StackTest, AWalkStopsAtTheCapacityAndWhereTheStackIsNotKnownToBeReadable) {
    char local = 0;
    at_depth(stacks_, 3, &local);
    const auto* const frame = static_cast<const uintptr_t*>(__builtin_frame_address(0));
    const frame_rules::Frame here{.pc = frame[1], .sp = address_of(frame + 2), .fp = frame[0]};
    uintptr_t frames[2]{};
    frame_rules::Walk walk{.at = here,
                           .readable_end = stack_end(),
                           .frames = frames,
                           .capacity = 1,
                           .count = 0,
                           .needed_end = 0,
                           .guessed = false};
    EXPECT_EQ(frame_rules::follow(walk), frame_rules::Stop::done);
    EXPECT_EQ(walk.count, 1U);
    walk.at = here;
    walk.readable_end = here.sp;
    walk.capacity = 2;
    walk.count = 0;
    EXPECT_EQ(frame_rules::follow(walk), frame_rules::Stop::beyond);
    EXPECT_GT(walk.needed_end, here.sp);
    EXPECT_EQ(walk.count, 0U);
}

TEST_F(StackTest, SignalsAreLeftToTheUnwinder) {
    static Stacks* stacks = nullptr;
    stacks = &stacks_;
    stacks_.by_rules.reserve(kMost);  // the handler must not allocate
    stacks_.by_libunwind.reserve(kMost);
    const auto previous = std::signal(SIGUSR1, [](int) { take_stacks(*stacks); });
    std::raise(SIGUSR1);
    std::signal(SIGUSR1, previous);
    EXPECT_TRUE(stacks_.by_rules.empty());
    EXPECT_GT(stacks_.by_libunwind.size(), 3U);
}

// ---- frame pointers, with which this file is compiled -----------------------------------------------------

[[gnu::noinline]] size_t capture_at_depth(uintptr_t* frames, int depth) {
    const size_t count = depth == 0 ? backtrace::capture(frames, kMost) : capture_at_depth(frames, depth - 1);
    asm volatile("" : : "r"(frames) : "memory");  // or the call would be a jump
    return count;
}

TEST(FramePointers, LeadThroughARecursion) {
    constexpr int kDepth = 20;
    ASSERT_TRUE(backtrace::load(Unwinder::frame_pointers));
    uintptr_t frames[kMost]{};
    const size_t count = capture_at_depth(frames, kDepth);
    ASSERT_GT(count, size_t{kDepth});
    // The recursive call has one return address.
    const uintptr_t* const end = frames + count;
    const uintptr_t* const recursion = std::adjacent_find(frames, frames + count);
    ASSERT_NE(recursion, end);
    EXPECT_EQ(std::count(recursion, end, *recursion), kDepth);
    EXPECT_TRUE(std::all_of(recursion, recursion + kDepth, [&](uintptr_t pc) { return pc == *recursion; }));
}

}  // namespace
