// SPDX-License-Identifier: MIT
//
// A model of the tagged stack of shared pools: three threads that pop and push, in every order of their reads,
// writes and exchanges. No element may get two owners, none may be lost, and the counts must be exact. The
// arithmetic is the real one (sync/tagged_stack.h); the steps stand for the lines of pop() and push().
#include "sync/tagged_stack.h"

#include <algorithm>
#include <array>
#include <compare>
#include <gtest/gtest.h>
#include <set>
#include <vector>

namespace {

using namespace hotlane;
using namespace hotlane::tagged_stack;

constexpr uint32_t kElements = 3;
constexpr int kThreads = 3;

/// What the protocol would be without a part.
struct Rules {
    bool has_tag = true;
    bool rereads_node = true;  // push computes the depth anew after a failed exchange
};

enum class At : uint8_t {
    rest,
    pop_node,
    pop_exchange,
    pop_taken,
    push_node,
    push_store,
    push_exchange,
    done
};

struct Thread {
    At at = At::rest;
    uint8_t operation = 0;
    uint64_t head = 0;  // registers
    uint64_t node = 0;
    std::vector<uint32_t> held;
    auto operator<=>(const Thread&) const = default;
};

struct State {
    uint64_t head = 0;
    std::array<uint64_t, kElements> nodes{};
    std::array<Thread, kThreads> threads;
    uint64_t pops = 0;
    uint64_t pushes = 0;
    auto operator<=>(const State&) const = default;
};

/// What each thread does: + gets an element, - puts its oldest back. The first thread's pop can be deceived
/// while the second takes two elements and puts the first one back.
constexpr std::array<const char*, kThreads> kScripts{"+-", "++-", "+-"};

uint64_t without_tag(uint64_t head, const Rules& rules) { return rules.has_tag ? head : head & kIndexMask; }

bool exchange(State& state, Thread& thread, uint64_t next, const Rules& rules) {
    if (state.head != thread.head) {
        return false;
    }
    state.head = without_tag(next, rules);
    return true;
}

void finish(Thread& thread) {
    ++thread.operation;
    thread.at = At::rest;
}

void begin(State& state, Thread& thread, char operation) {
    thread.head = state.head;
    if (operation == '+') {
        is_empty(thread.head) ? finish(thread) : void(thread.at = At::pop_node);
    } else {
        thread.held.empty() ? finish(thread) : void(thread.at = At::push_node);
    }
}

/// One step of a thread. Returns false if it has none left.
bool step(State& state, int number, const Rules& rules) {
    Thread& thread = state.threads[static_cast<size_t>(number)];
    switch (thread.at) {
    case At::rest:
        if (kScripts[static_cast<size_t>(number)][thread.operation] == '\0') {
            thread.at = At::done;
        } else {
            begin(state, thread, kScripts[static_cast<size_t>(number)][thread.operation]);
        }
        return true;
    case At::pop_node:
        thread.node = state.nodes[top_of(thread.head)];
        thread.at = At::pop_exchange;
        return true;
    case At::pop_exchange:
        if (exchange(state, thread, head_after_pop(thread.head, thread.node), rules)) {
            thread.held.push_back(top_of(thread.head));
            ++state.pops;
            thread.at = At::pop_taken;
        } else {
            begin(state, thread, '+');
        }
        return true;
    case At::pop_taken:
        state.nodes[thread.held.back()] = kTaken;
        finish(thread);
        return true;
    case At::push_node:
        thread.node = is_empty(thread.head) ? 0 : state.nodes[top_of(thread.head)];
        thread.at = At::push_store;
        return true;
    case At::push_store:
        state.nodes[thread.held.front()] = node_over(thread.head, thread.node);
        thread.at = At::push_exchange;
        return true;
    case At::push_exchange:
        if (exchange(state, thread, head_after_push(thread.head, thread.held.front()), rules)) {
            thread.held.erase(thread.held.begin());
            ++state.pushes;
            finish(thread);
        } else {
            thread.head = state.head;
            thread.at = rules.rereads_node ? At::push_node : At::push_store;
        }
        return true;
    case At::done:
        return false;
    }
    return false;
}

bool all_done(const State& state) {
    return std::all_of(state.threads.begin(), state.threads.end(),
                       [](const Thread& thread) { return thread.at == At::done; });
}

/// Each element is in one place, and head and nodes say how many are free and how many operations there were.
bool is_right(const State& state, const Rules& rules) {
    std::vector<uint32_t> found;
    for (const Thread& thread : state.threads) {
        found.insert(found.end(), thread.held.begin(), thread.held.end());
    }
    const size_t free_elements = kElements - std::min<size_t>(found.size(), kElements);
    const uint32_t depth = is_empty(state.head) ? 0 : depth_in(state.nodes[top_of(state.head)]);
    for (uint64_t at = state.head; !is_empty(at) && found.size() <= kElements; at = state.nodes[top_of(at)]) {
        found.push_back(top_of(at));
    }
    std::sort(found.begin(), found.end());
    for (uint32_t i = 0; i < kElements; ++i) {
        if (found.size() != kElements || found[i] != i) {
            return false;
        }
    }
    return depth == free_elements && state.pops - state.pushes == kElements - free_elements &&
           (!rules.has_tag || operations_in(state.head) == state.pops + state.pushes);
}

State start() {
    State state;
    for (uint32_t i = kElements; i-- > 0;) {
        const uint64_t below = is_empty(state.head) ? 0 : state.nodes[top_of(state.head)];
        state.nodes[i] = node_over(state.head, below);
        state.head = i + uint64_t{1};
    }
    return state;
}

struct Outcome {
    size_t ends = 0;
    size_t wrong_ends = 0;
};

/// Explores until the first wrong end.
Outcome explore(const Rules& rules) {
    Outcome outcome;
    std::set<State> known{start()};
    std::vector<State> open{start()};
    while (!open.empty() && outcome.wrong_ends == 0) {
        const State state = open.back();
        open.pop_back();
        if (all_done(state)) {
            ++outcome.ends;
            outcome.wrong_ends += is_right(state, rules) ? 0 : 1;
        }
        for (int thread = 0; thread < kThreads; ++thread) {
            State next = state;
            if (step(next, thread, rules) && known.insert(next).second) {
                open.push_back(next);
            }
        }
    }
    return outcome;
}

TEST(TaggedStackModel, NoOrderLosesAnElementOrACount) {
    const Outcome outcome = explore({});
    EXPECT_GT(outcome.ends, 100U);
    EXPECT_EQ(outcome.wrong_ends, 0U);
}

TEST(TaggedStackModel, WithoutTheTagAnElementGetsTwoOwners) {
    EXPECT_NE(explore({.has_tag = false}).wrong_ends, 0U);
}

TEST(TaggedStackModel, WithAnOldNodeTheCountIsWrong) {
    EXPECT_NE(explore({.rereads_node = false}).wrong_ends, 0U);
}

TEST(TaggedStack, CountsBeyondTheHeadsBitsGoOn) {
    TaggedStack::Node nodes[2];
    TaggedStack stack;
    stack.set_up(nodes, 2);
    uint32_t left = 0;
    for (uint64_t i = 1; i <= 10; ++i) {
        const uint32_t element = stack.pop(&left);
        EXPECT_EQ(left, 1U);
        EXPECT_TRUE(stack.is_taken(element));
        EXPECT_TRUE(stack.push(element));
        EXPECT_FALSE(stack.push(element)) << "it is free already";
        EXPECT_EQ(stack.state().operations, 2 * i);
        EXPECT_EQ(stack.state().elements, 2U);
    }
    // 2^40 operations take hours; the last one before the wrap is made by hand.
    const uint64_t last = UINT64_MAX << kIndexBits | 1;
    EXPECT_EQ(operations_in(head_after_push(last, 5)), 0U);
    EXPECT_EQ(top_of(head_after_push(last, 5)), 5U);
}

}  // namespace
