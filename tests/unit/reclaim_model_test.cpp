// SPDX-License-Identifier: MIT
//
// A model of reclaiming from another thread's lane, in every order in which the owner and the reclaimer can
// act, and in which the stores and loads of a processor with weak memory order take effect. No object may get two
// owners, and none may be lost. The judgement is the real one
// (thread_cache/reclaim_protocol.h), executed read by read. The other steps stand for lines of the code,
// which the comments name.
#include "thread_cache/reclaim_protocol.h"

#include <algorithm>
#include <array>
#include <compare>
#include <gtest/gtest.h>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace {

using namespace hotlane;
using reclaim::Verdict;

// ---- the state --------------------------------------------------------------------------------------------

using Byte = uint8_t;  // an index of the lane, or the number of an object; object 0 is nullptr

constexpr Byte kFloor = 6;
constexpr Byte kObjectsInLane = 4;
constexpr Byte kObjectsHeld = 3;  // by the owner at the start: what it can push before a pop

constexpr Byte kTop = kFloor + 1;  // as a place in memory; the places below are the slots
using Memory = std::array<Byte, kTop + 1>;

struct Store {
    Byte place;
    Byte value;
    auto operator<=>(const Store&) const = default;
};

enum class OwnerAt : Byte { rest, pop_slot, pop_commit, push_slot, push_commit, slow_pop, done };
enum class ReclaimAt : Byte { rest, exchange, barrier, judge };

/// The two reads of the judgement, as far as they were made.
struct Reads {
    std::optional<Byte> top;
    std::optional<Byte> slot;
    auto operator<=>(const Reads&) const = default;
};

struct State {
    Memory memory{};
    std::vector<Store> buffer;  // the owner's stores that others do not see yet, in order
    std::optional<Store>
        early;  // a slot that the owner's processor read before its turn, and what it found there
    OwnerAt owner = OwnerAt::rest;
    Byte operations = 0;
    Byte seen_top = 0;  // registers of the current operation
    Byte seen_object = 0;
    std::vector<Byte> held;  // the owner's live objects, newest last
    ReclaimAt reclaim = ReclaimAt::rest;
    Byte reclaims = 0;
    Byte floor = kFloor;
    Byte pending_reclaim = 0;
    Byte pending_reclaim_index = 0;
    Reads reads;
    std::vector<Byte> depot;
    auto operator<=>(const State&) const = default;
};

/// In which order the owner's stores and loads take effect.
enum class Order : Byte {
    program,  // at once
    x86,      // each store later, in the order of the program
    weak,  // as on arm64: stores in any order, but a release after all before it; a load of a slot also earlier
};

/// What parts of the protocol are left out or done wrong.
struct Rules {
    bool slot_before_top = false;
    bool barrier = true;
    bool without_margin = false;      // says "ours" while top is at the slot
    bool release = true;              // the store of top
    bool barrier_stops_loads = true;  // no load of the owner passes the barrier
    Order order = Order::x86;
    int operations = 6;  // of the owner
    int reclaims = 2;
};

// ---- the owner --------------------------------------------------------------------------------------------

Byte load(const State& state, Byte place) {
    const auto own = std::find_if(state.buffer.rbegin(), state.buffer.rend(),
                                  [place](const Store& store) { return store.place == place; });
    return own != state.buffer.rend() ? own->value : state.memory[place];
}

void store(State& state, const Rules& rules, Byte place, Byte value) {
    if (rules.order == Order::program) {
        state.memory[place] = value;
    } else {
        state.buffer.push_back({place, value});
    }
    if (state.early.has_value() && state.early->place == place) {
        state.early.reset();  // a later load finds the thread's own store
    }
}

/// Whether a buffered store may become visible next. Stores to one place keep their order everywhere.
bool may_become_visible(const State& state, const Rules& rules, size_t i) {
    const auto store = state.buffer.begin() + static_cast<ptrdiff_t>(i);
    const bool is_release = rules.release && store->place == kTop;
    const bool follows_one_of_the_place = std::any_of(
        state.buffer.begin(), store, [store](const Store& other) { return other.place == store->place; });
    return i == 0 || (rules.order == Order::weak && !is_release && !follows_one_of_the_place);
}

/// The processor reads one of the next slots before the instructions that come first have taken effect.
void read_early(const State& from, const Rules& rules, std::vector<State>& next) {
    if (rules.order != Order::weak || from.early.has_value() || from.owner == OwnerAt::done ||
        from.owner == OwnerAt::slow_pop || load(from, kTop) == 0) {
        return;
    }
    const Byte top = load(from, kTop);
    for (Byte place = top; place <= std::min<Byte>(top + 1, kFloor); ++place) {
        State state = from;
        state.early = Store{place, load(from, place)};
        next.push_back(state);
    }
}

void drain(State& state) {
    for (const Store& store : state.buffer) {
        state.memory[store.place] = store.value;
    }
    state.buffer.clear();
    state.early.reset();
}

/// ThreadBlock::resolve_pending_reclaim(), under the lock. Taking the lock has drained the buffer.
void settle(State& state) {
    if (state.pending_reclaim != 0 && state.memory[kTop] <= state.pending_reclaim_index &&
        state.memory[state.pending_reclaim_index] == 0) {
        state.memory[state.pending_reclaim_index] = state.pending_reclaim;
    }
    state.pending_reclaim = 0;
}

/// The owner's next step. Adds the states that it can lead to; none if the owner waits or is done.
void step_owner(const State& from, const Rules& rules, std::vector<State>& next) {
    State state = from;
    switch (from.owner) {
    case OwnerAt::rest: {
        if (from.operations == rules.operations) {
            state.owner = OwnerAt::done;
            next.push_back(state);
            return;
        }
        // The first load of pop_fast() or of push_fast(): top.
        ++state.operations;
        state.seen_top = load(from, kTop);
        state.owner = OwnerAt::pop_slot;
        next.push_back(state);
        // A full lane is not modelled, nor a push without an object.
        if (state.seen_top != 0 && !from.held.empty()) {
            state.owner = OwnerAt::push_slot;
            for (const Byte object : std::set{from.held.front(), from.held.back()}) {
                state.seen_object = object;
                next.push_back(state);
            }
        }
        return;
    }
    case OwnerAt::pop_slot:  // object = load(slot(top)); null: Slow
        if (from.early.has_value() && from.early->place == from.seen_top) {
            state.seen_object = from.early->value;
            state.early.reset();
        } else {
            state.seen_object = load(from, from.seen_top);
        }
        state.owner = state.seen_object == 0 ? OwnerAt::slow_pop : OwnerAt::pop_commit;
        break;
    case OwnerAt::pop_commit:  // tls::store(top + 1)
        store(state, rules, kTop, static_cast<Byte>(from.seen_top + 1));
        state.held.push_back(from.seen_object);
        state.owner = OwnerAt::rest;
        break;
    case OwnerAt::push_slot:  // store(slot(top), p)
        store(state, rules, static_cast<Byte>(from.seen_top - 1), from.seen_object);
        state.owner = OwnerAt::push_commit;
        break;
    case OwnerAt::push_commit:  // tls::store(top)
        store(state, rules, kTop, static_cast<Byte>(from.seen_top - 1));
        std::erase(state.held, from.seen_object);
        state.owner = OwnerAt::rest;
        break;
    case OwnerAt::slow_pop:  // allocate_from_cache(): waits for the lock, resolves, and pops what is there
        if (from.reclaim != ReclaimAt::rest) {
            return;
        }
        drain(state);
        settle(state);
        if (state.memory[kTop] == state.floor) {
            state.owner = OwnerAt::done;  // a refill follows
        } else {
            state.held.push_back(state.memory[state.memory[kTop]]);
            ++state.memory[kTop];
            state.owner = OwnerAt::rest;
        }
        break;
    case OwnerAt::done:
        return;
    }
    next.push_back(state);
}

// ---- the reclaimer ----------------------------------------------------------------------------------------

enum class Wanted : Byte { top, slot };

/// Replays earlier reads to the judgement, and stops it at the first read that was not made yet.
struct Replay {
    const Reads& reads;
    uint64_t load_top() const { return reads.top.has_value() ? *reads.top : throw Wanted::top; }
    void* load_slot(uint64_t) const {
        static Byte objects[kObjectsInLane + kObjectsHeld + 1];
        const Byte object = reads.slot.has_value() ? *reads.slot : throw Wanted::slot;
        return object == 0 ? nullptr : &objects[object];
    }
};

/// The real judgement, or one with the mistake that the rules name.
Verdict judge(const Replay& lane, uint64_t new_floor, const Rules& rules) {
    if (!rules.slot_before_top && !rules.without_margin) {
        return reclaim::judge(lane, new_floor);
    }
    const void* const early = rules.slot_before_top ? lane.load_slot(new_floor) : nullptr;
    const uint64_t top = lane.load_top();
    const void* const object = rules.slot_before_top ? early : lane.load_slot(new_floor);
    if (object != nullptr) {
        return Verdict::popped;
    }
    const uint64_t undecided_from = rules.without_margin ? new_floor + 1 : new_floor;
    return top >= undecided_from ? Verdict::undecided : Verdict::ours;
}

void conclude(State& state, Verdict verdict) {  // finish_reclaim()
    if (verdict == Verdict::ours) {
        for (Byte index = state.pending_reclaim_index + 1; index < state.floor; ++index) {
            state.depot.push_back(state.memory[index]);
        }
        state.depot.push_back(state.pending_reclaim);
        state.floor = state.pending_reclaim_index;
    }
    if (verdict != Verdict::undecided) {
        state.pending_reclaim = 0;
    }
    state.pending_reclaim_index = verdict == Verdict::undecided ? state.pending_reclaim_index : 0;
    state.reads = {};
    state.reclaim = ReclaimAt::rest;
}

void step_judge(State& state, const Rules& rules) {
    try {
        conclude(state, judge({state.reads}, state.pending_reclaim_index, rules));
    } catch (Wanted wanted) {
        (wanted == Wanted::top ? state.reads.top : state.reads.slot) =
            state.memory[wanted == Wanted::top ? kTop : state.pending_reclaim_index];
    }
}

void step_reclaim(const State& from, const Rules& rules, std::vector<State>& next) {
    State state = from;
    switch (from.reclaim) {
    case ReclaimAt::rest: {  // begin_reclaim(): reads top
        const Byte top = from.memory[kTop];
        if (from.reclaims == rules.reclaims || from.pending_reclaim != 0 ||
            from.floor - top <= int{reclaim::kLeftInCache}) {
            return;
        }
        ++state.reclaims;
        state.pending_reclaim_index = static_cast<Byte>(top + reclaim::kLeftInCache);
        state.reclaim = ReclaimAt::exchange;
        break;
    }
    case ReclaimAt::exchange:
        state.pending_reclaim = std::exchange(state.memory[from.pending_reclaim_index], Byte{0});
        state.reclaim = state.pending_reclaim == 0 ? ReclaimAt::rest : ReclaimAt::barrier;
        state.pending_reclaim_index = state.pending_reclaim == 0 ? 0 : state.pending_reclaim_index;
        break;
    case ReclaimAt::barrier:
        if (rules.barrier) {
            const std::optional<Store> early = state.early;
            drain(state);
            state.early = rules.barrier_stops_loads ? std::nullopt : early;
        }
        state.reclaim = ReclaimAt::judge;
        break;
    case ReclaimAt::judge:
        step_judge(state, rules);
        break;
    }
    next.push_back(state);
}

// ---- every order ------------------------------------------------------------------------------------------

/// At the end each object must be in exactly one place: with the owner, in the lane, or in the depot.
bool all_are_in_one_place(State state) {
    drain(state);
    settle(state);
    std::vector<Byte> found = state.held;
    found.insert(found.end(), state.depot.begin(), state.depot.end());
    for (Byte index = state.memory[kTop]; index < state.floor; ++index) {
        found.push_back(state.memory[index]);
    }
    if (state.memory[state.floor] != 0) {
        return false;  // the lane has no end
    }
    std::sort(found.begin(), found.end());
    for (size_t i = 0; i < found.size(); ++i) {
        if (found[i] != i + 1) {
            return false;
        }
    }
    return found.size() == kObjectsInLane + kObjectsHeld;
}

State start() {
    State state;
    for (Byte i = 0; i < kObjectsInLane; ++i) {
        state.memory[kFloor - kObjectsInLane + i] = static_cast<Byte>(i + 1);
    }
    state.memory[kTop] = kFloor - kObjectsInLane;
    for (Byte i = 0; i < kObjectsHeld; ++i) {
        state.held.push_back(static_cast<Byte>(kObjectsInLane + i + 1));
    }
    return state;
}

struct Outcome {
    size_t ends = 0;
    size_t wrong_ends = 0;
    size_t takings = 0;  // ends in which objects were taken
};

/// Explores until the first wrong end.
Outcome explore(const Rules& rules) {
    Outcome outcome;
    std::set<State> known{start()};
    std::vector<State> open{start()};
    std::vector<State> next;
    while (!open.empty() && outcome.wrong_ends == 0) {
        const State state = open.back();
        open.pop_back();
        next.clear();
        step_owner(state, rules, next);
        step_reclaim(state, rules, next);
        read_early(state, rules, next);
        for (size_t i = 0; i < state.buffer.size(); ++i) {
            if (may_become_visible(state, rules, i)) {
                State seen = state;
                seen.memory[state.buffer[i].place] = state.buffer[i].value;
                seen.buffer.erase(seen.buffer.begin() + static_cast<ptrdiff_t>(i));
                next.push_back(seen);
            }
        }
        const bool ends = state.owner == OwnerAt::done && state.reclaim == ReclaimAt::rest;
        outcome.ends += ends ? 1 : 0;
        outcome.wrong_ends += ends && !all_are_in_one_place(state) ? 1 : 0;
        outcome.takings += ends && !state.depot.empty() ? 1 : 0;
        for (const State& one : next) {
            if (known.insert(one).second) {
                open.push_back(one);
            }
        }
    }
    return outcome;
}

TEST(ReclaimModel, InNoOrderIsAnObjectLostOrDoubled) {
    for (const Order order : {Order::program, Order::x86, Order::weak}) {
        // A weak order has many more states. So many operations and reclaims suffice for each mistake below.
        const Outcome outcome = order == Order::weak
                                    ? explore({.order = order, .operations = 5, .reclaims = 1})
                                    : explore({.order = order});
        EXPECT_EQ(outcome.wrong_ends, 0U);
        EXPECT_GT(outcome.takings, 100U);
    }
}

TEST(ReclaimModel, TheSlotReadBeforeTopDoublesAnObject) {
    EXPECT_GT(explore({.slot_before_top = true}).wrong_ends, 0U);
}

TEST(ReclaimModel, OnAWeakOrderWithoutTheReleaseAnObjectIsDoubled) {
    EXPECT_GT(explore({.release = false, .order = Order::weak, .operations = 5, .reclaims = 1}).wrong_ends,
              0U)
        << "top is seen before the slot";
}

TEST(ReclaimModel, OnAWeakOrderALoadThatPassesTheBarrierDoublesAnObject) {
    EXPECT_GT(explore({.barrier_stops_loads = false, .order = Order::weak, .operations = 5, .reclaims = 1})
                  .wrong_ends,
              0U);
}

TEST(ReclaimModel, WithoutTheBarrierAnObjectIsDoubled) {
    EXPECT_GT(explore({.barrier = false}).wrong_ends, 0U);
}

TEST(ReclaimModel, WithoutAMarginAnObjectIsDoubled) {
    EXPECT_GT(explore({.without_margin = true}).wrong_ends, 0U) << "ours while top is at the slot";
}

}  // namespace
