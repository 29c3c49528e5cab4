// SPDX-License-Identifier: MIT
//
// A model of the tagged stack of shared pools: threads that pop and push, and one that changes which elements are
// present, in every order of their reads, writes and exchanges. No element may get two owners, none may be lost,
// the counts must be exact, and no pop may be refused because a change holds the free elements. The arithmetic is
// the real one (sync/tagged_stack.h); the steps stand for the lines of pop(), push(), hold_all() and end_change().
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
    bool rereads_node = true;     // push computes its node anew after a failed exchange
    bool has_two_bottoms = true;  // a change uses the other bottom
    bool says_wait = true;        // a pop can tell a change from an empty stack
};

/// What each thread does: + gets an element, - puts its oldest back, G makes all elements present, S makes the
/// last one absent if it is free.
struct Scenario {
    std::array<const char*, kThreads> scripts;
    uint32_t present;
};

enum class At : uint8_t {
    rest,
    pop_node,
    pop_again,  // the stack was empty: is it still?
    pop_wait,
    pop_exchange,
    pop_taken,
    push_node,
    push_store,
    push_exchange,
    hold_node,
    hold_bottom,
    hold_exchange,
    hold_walk,
    end_head,
    end_bottom,
    end_chain,
    end_exchange,
    done
};

struct Thread {
    At at = At::rest;
    uint8_t operation = 0;
    uint64_t head = 0;  // registers
    uint64_t node = 0;
    uint32_t index = 0;
    uint32_t top = 0;
    uint32_t wanted = 0;     // elements that shall be present
    bool is_ending = false;  // hold_all() was called by end_change()
    std::vector<uint32_t> held;
    auto operator<=>(const Thread&) const = default;
};

struct State {
    uint64_t head = 0;
    std::array<uint64_t, kElements + kBottoms> nodes{};
    std::array<Thread, kThreads> threads;
    uint64_t pops = 0;
    uint64_t pushes = 0;
    uint64_t uncounted = 0;
    uint32_t bottom = 0;
    uint32_t present = 0;
    bool changes = false;  // a change has the lock
    bool is_refused_falsely = false;
    bool is_miscounted = false;  // a pop learned a wrong number of free elements
    auto operator<=>(const State&) const = default;
};

class Model {
  public:
    Model(const Scenario& scenario, const Rules& rules) : scenario_{scenario}, rules_{rules} {}

    State start() const {
        State state;
        state.present = scenario_.present;
        state.nodes[0] = bottom_with(kElements - scenario_.present, 0);
        for (uint32_t i = scenario_.present; i-- > 0;) {
            state.nodes[index_of(i)] = node_over(index_in(state.head), state.nodes[index_in(state.head)]);
            state.head = index_of(i);
        }
        return state;
    }

    /// One step of a thread. Returns false if it has none left, or waits.
    bool step(State& state, size_t number) const {
        Thread& thread = state.threads[number];
        if (thread.at == At::done || (thread.at == At::pop_wait && state.changes)) {
            return false;
        }
        if (thread.at != At::rest) {
            return thread.at >= At::hold_node ? change(state, thread) : pop_or_push(state, thread);
        }
        const char operation = scenario_.scripts[number][thread.operation];
        if (operation == '\0') {
            thread.at = At::done;
        } else {
            begin(state, thread, operation);
        }
        return true;
    }

    /// Each element is in one place, and head and nodes say how many are free and how many operations there were.
    bool is_right(const State& state) const {
        std::vector<uint32_t> found;
        for (const Thread& thread : state.threads) {
            found.insert(found.end(), thread.held.begin(), thread.held.end());
        }
        const uint64_t taken = found.size();
        const uint32_t free_elements = free_in(state.nodes[index_in(state.head)]);
        for (uint32_t at = index_in(state.head); !is_bottom(at) && found.size() <= kElements;
             at = index_in(state.nodes[at])) {
            found.push_back(element_at(at));
        }
        std::sort(found.begin(), found.end());
        for (uint32_t i = 0; i < state.present; ++i) {
            if (found.size() != state.present || found[i] != i) {
                return false;
            }
        }
        return !state.is_refused_falsely && !state.is_miscounted && free_elements + taken == kElements &&
               state.pops - state.pushes == taken &&
               (!rules_.has_tag || operations_in(state.head) - state.uncounted == state.pops + state.pushes);
    }

  private:
    bool exchange(State& state, const Thread& thread, uint32_t index) const {
        if (state.head != thread.head) {
            return false;
        }
        const uint64_t next = head_to(state.head, index);
        state.head = rules_.has_tag ? next : index_in(next);
        return true;
    }
    static void finish(Thread& thread) {
        ++thread.operation;
        thread.at = At::rest;
    }
    void begin(State& state, Thread& thread, char operation) const {
        thread.head = state.head;
        if (operation == '+') {
            thread.at = At::pop_node;
        } else if (operation == '-') {
            thread.held.empty() ? finish(thread) : void(thread.at = At::push_node);
        } else {
            state.changes = true;
            thread.wanted = operation == 'G' ? kElements : kElements - 1;
            thread.is_ending = false;
            thread.at = At::hold_node;
        }
    }
    bool pop_or_push(State& state, Thread& thread) const {
        const uint32_t top = index_in(thread.head);
        switch (thread.at) {
        case At::pop_node:
            thread.node = state.nodes[top];
            thread.at = is_bottom(top) ? At::pop_again : At::pop_exchange;
            break;
        case At::pop_again:
            if (state.head != thread.head) {
                begin(state, thread, '+');
            } else if (index_in(thread.node) == kChanging && rules_.says_wait) {
                thread.at = At::pop_wait;
            } else {
                state.is_refused_falsely |= index_in(thread.node) == kChanging;
                finish(thread);
            }
            break;
        case At::pop_wait:
            begin(state, thread, '+');
            break;
        case At::pop_exchange:
            if (exchange(state, thread, index_in(thread.node))) {
                thread.held.push_back(element_at(top));
                ++state.pops;
                state.is_miscounted |= free_in(thread.node) - 1 != kElements - (state.pops - state.pushes);
                thread.at = At::pop_taken;
            } else {
                begin(state, thread, '+');
            }
            break;
        case At::pop_taken:
            state.nodes[index_of(thread.held.back())] = kTaken;
            finish(thread);
            break;
        case At::push_node:
            thread.node = state.nodes[top];
            thread.at = At::push_store;
            break;
        case At::push_store:
            state.nodes[index_of(thread.held.front())] = node_over(top, thread.node);
            thread.at = At::push_exchange;
            break;
        default:  // push_exchange
            if (exchange(state, thread, index_of(thread.held.front()))) {
                thread.held.erase(thread.held.begin());
                ++state.pushes;
                finish(thread);
            } else {
                thread.head = state.head;
                thread.at = rules_.rereads_node ? At::push_node : At::push_store;
            }
        }
        return true;
    }
    uint32_t other(const State& state) const {
        return rules_.has_two_bottoms ? 1 - state.bottom : state.bottom;
    }
    void note_change(State& state, uint32_t bottom) const {
        state.bottom = bottom;
        ++state.uncounted;
    }
    /// What follows hold_all().
    static void after_hold(State& state, Thread& thread) {
        const bool last_is_held = state.nodes[index_of(kElements - 1)] == kHeld;
        if (!thread.is_ending && thread.wanted > state.present) {
            state.nodes[index_of(kElements - 1)] = kHeld;
        } else if (!thread.is_ending && !last_is_held) {
            thread.wanted = state.present;
        }
        if (!thread.is_ending) {
            state.present = thread.wanted;
            thread.is_ending = true;
            thread.head = state.head;
            thread.at = At::hold_node;
        } else {
            thread.at = At::end_head;
        }
    }
    bool change(State& state, Thread& thread) const {
        const uint32_t top = index_in(thread.head);
        switch (thread.at) {
        case At::hold_node:
            if (is_bottom(top)) {
                after_hold(state, thread);
                break;
            }
            thread.node = state.nodes[top];
            thread.at = At::hold_bottom;
            break;
        case At::hold_bottom:
            state.nodes[other(state)] = bottom_with(free_in(thread.node), kChanging);
            thread.at = At::hold_exchange;
            break;
        case At::hold_exchange:
            if (exchange(state, thread, other(state))) {
                note_change(state, other(state));
                thread.index = top;
                thread.at = At::hold_walk;
            } else {
                thread.head = state.head;
                thread.at = At::hold_node;
            }
            break;
        case At::hold_walk:
            if (is_bottom(thread.index)) {
                after_hold(state, thread);
            } else {
                const uint32_t index = thread.index;
                thread.index = index_in(state.nodes[index]);
                state.nodes[index] = kHeld;
            }
            break;
        case At::end_head:
            thread.head = state.head;
            thread.at = At::end_bottom;
            break;
        case At::end_bottom:
            state.nodes[other(state)] = bottom_with(kElements - thread.wanted, 0);
            thread.top = other(state);
            thread.index = thread.wanted;
            thread.at = At::end_chain;
            break;
        case At::end_chain:
            if (thread.index == 0) {
                thread.at = At::end_exchange;
            } else if (state.nodes[index_of(--thread.index)] == kHeld) {
                state.nodes[index_of(thread.index)] = node_over(thread.top, state.nodes[thread.top]);
                thread.top = index_of(thread.index);
            }
            break;
        default:  // end_exchange
            if (is_bottom(top) && exchange(state, thread, thread.top)) {
                note_change(state, other(state));
                state.changes = false;
                finish(thread);
            } else {
                for (uint32_t at = thread.top; !is_bottom(at);) {
                    const uint32_t below = index_in(state.nodes[at]);
                    state.nodes[at] = kHeld;
                    at = below;
                }
                thread.head = state.head;
                thread.at = At::hold_node;
            }
        }
        return true;
    }

    const Scenario& scenario_;
    const Rules& rules_;
};

bool all_done(const State& state) {
    return std::all_of(state.threads.begin(), state.threads.end(),
                       [](const Thread& thread) { return thread.at == At::done; });
}

struct Outcome {
    size_t ends = 0;
    size_t wrong_ends = 0;
};

/// Explores until the first wrong end. An end is also a state in which every thread waits.
Outcome explore(const Scenario& scenario, const Rules& rules = {}) {
    const Model model{scenario, rules};
    Outcome outcome;
    std::set<State> known{model.start()};
    std::vector<State> open{model.start()};
    while (!open.empty() && outcome.wrong_ends == 0) {
        const State state = open.back();
        open.pop_back();
        bool moves = false;
        for (size_t thread = 0; thread < kThreads; ++thread) {
            State next = state;
            if (model.step(next, thread)) {
                moves = true;
                if (known.insert(next).second) {
                    open.push_back(next);
                }
            }
        }
        if (!moves) {
            ++outcome.ends;
            outcome.wrong_ends += all_done(state) && model.is_right(state) ? 0 : 1;
        }
    }
    return outcome;
}

/// The first thread's pop can be deceived while the second takes two elements and puts the first one back.
constexpr Scenario kNoChange{{"+-", "++-", "+-"}, kElements};
constexpr Scenario kGrows{{"+-", "++-", "G"}, 2};
constexpr Scenario kShrinks{{"+-", "+-+", "S"}, 3};
constexpr Scenario kGrowsAndShrinks{{"+-+-", "GSG", ""}, 2};

TEST(TaggedStackModel, NoOrderLosesAnElementOrACount) {
    const Outcome outcome = explore(kNoChange);
    EXPECT_GT(outcome.ends, 100U);
    EXPECT_EQ(outcome.wrong_ends, 0U);
}

TEST(TaggedStackModel, NoOrderWithAChangeLosesAnElementOrACount) {
    for (const Scenario& scenario : {kGrows, kShrinks, kGrowsAndShrinks}) {
        const Outcome outcome = explore(scenario);
        EXPECT_GT(outcome.ends, 1U);
        EXPECT_EQ(outcome.wrong_ends, 0U) << scenario.scripts[2] << scenario.scripts[1];
    }
}

TEST(TaggedStackModel, WithoutTheTagAnElementGetsTwoOwners) {
    EXPECT_NE(explore(kNoChange, {.has_tag = false}).wrong_ends, 0U);
}

TEST(TaggedStackModel, WithAnOldNodeTheCountIsWrong) {
    EXPECT_NE(explore(kNoChange, {.rereads_node = false}).wrong_ends, 0U);
}

TEST(TaggedStackModel, WithOneBottomTheCountIsWrong) {
    EXPECT_NE(explore(kShrinks, {.has_two_bottoms = false}).wrong_ends, 0U);
}

TEST(TaggedStackModel, APopThatDoesNotWaitIsRefusedFalsely) {
    EXPECT_NE(explore(kShrinks, {.says_wait = false}).wrong_ends, 0U);
}

TEST(TaggedStack, AChangeKeepsOrderCountsAndWhatIsTaken) {
    TaggedStack::Node nodes[TaggedStack::nodes_for(6)];
    TaggedStack stack;
    stack.set_up(nodes, 6, 2);
    uint32_t left = 0;
    EXPECT_EQ(stack.pop(&left), 0U);
    EXPECT_EQ(left, 5U) << "one is free, four are absent";
    EXPECT_EQ(stack.pop(&left), 1U);
    EXPECT_EQ(stack.pop(&left), kNone);
    stack.hold_all();
    stack.hold(2);
    stack.hold(3);
    stack.end_change(4);
    EXPECT_EQ(stack.state().free, 4U);
    EXPECT_EQ(stack.state().operations, 2U);
    EXPECT_TRUE(stack.push(1));
    stack.hold_all();
    EXPECT_EQ(stack.pop(&left), kWait);
    EXPECT_TRUE(stack.push(0)) << "a put during a change";
    EXPECT_FALSE(stack.push(3)) << "it is free already";
    EXPECT_TRUE(stack.is_held(3));
    stack.end_change(3);
    EXPECT_EQ(stack.state().free, 6U);
    EXPECT_EQ(stack.state().operations, 4U);
    for (uint32_t i = 0; i < 3; ++i) {
        EXPECT_EQ(stack.pop(&left), i);
    }
    EXPECT_EQ(left, 3U);
    EXPECT_EQ(stack.pop(&left), kNone);
}

TEST(TaggedStack, CountsBeyondTheHeadsBitsGoOn) {
    TaggedStack::Node nodes[TaggedStack::nodes_for(2)];
    TaggedStack stack;
    stack.set_up(nodes, 2, 2);
    uint32_t left = 0;
    for (uint64_t i = 1; i <= 10; ++i) {
        const uint32_t element = stack.pop(&left);
        EXPECT_EQ(left, 1U);
        EXPECT_TRUE(stack.is_taken(element));
        EXPECT_TRUE(stack.push(element));
        EXPECT_FALSE(stack.push(element)) << "it is free already";
        EXPECT_EQ(stack.state().operations, 2 * i);
        EXPECT_EQ(stack.state().free, 2U);
    }
    // 2^40 operations take hours; the last one before the wrap is made by hand.
    const uint64_t last = UINT64_MAX << kIndexBits | 1;
    EXPECT_EQ(operations_in(head_to(last, index_of(5))), 0U);
    EXPECT_EQ(element_at(index_in(head_to(last, index_of(5)))), 5U);
}

}  // namespace
