// SPDX-License-Identifier: MIT
//
// How maintenance takes objects from another thread's lane while that thread goes on using it. The words of
// the lane are reached through an accessor, so that a test can try every order of the two sides' steps.
#pragma once

#include "base/base.h"

namespace hotlane::reclaim {

// The owner's fast path takes no lock and has no barrier. Objects can still be taken from the older end of
// its stack, by moving the floor:
//
//   1. The slot that becomes the new floor is exchanged for nullptr.
//   2. Every running thread passes a barrier (membarrier).
//   3. The owner's top is read, then the slot. Together they tell who has the object.
//
// After step 2, an owner that reaches the slot finds nullptr and goes to its slow path, which waits for the
// lock that the reclaiming thread holds. Only one operation of the owner can have begun before the barrier
// and still be in progress. If it is the pop of this object, top shows it: top stays at the slot until that
// pop is committed.

/// How many objects stay in the lane: the one that the owner may be popping at this moment, and one more, so
/// that a thread that wakes up does not miss at once.
inline constexpr uint64_t kLeftInCache = 2;

enum class Verdict : uint8_t {
    ours,       // the object and all older ones can be taken
    undecided,  // the owner's top is at the slot or beyond it: it may have popped the object
    popped,     // the owner popped the object and has pushed another one since: nothing can be taken
};

/// Step 3. Top is read before the slot: if the owner popped the object and its top is before the slot again,
/// then it has filled the slot in between, and the later read of the slot shows that.
template <typename Lane, typename Slot>
Verdict judge(const Lane& lane, Slot new_floor) {
    const Slot top = lane.load_top();
    if (lane.load_slot(new_floor) != nullptr) {
        return Verdict::popped;
    }
    return top >= new_floor ? Verdict::undecided : Verdict::ours;
}

}  // namespace hotlane::reclaim
