// SPDX-License-Identifier: MIT
//
// How objects are taken from the lane of a thread that goes on using it.
// Knows nothing of locks, depots or counts; the words of the lane are reached through an accessor.
// Called by threads.cpp, and by a test that tries every order in which the two sides can act.
#pragma once

#include "base/base.h"

namespace hotlane::reclaim {

// The owner's fast path takes no lock and has no barrier, yet objects can be taken from the older end of its
// stack: the floor is moved.
//
//   1. The slot that becomes the new floor is exchanged for nullptr.
//   2. Every running thread passes a barrier (membarrier).
//   3. The owner's top is read, then the slot, and the two tell whose the object is.
//
// From the second step on, an owner that comes to the slot finds it empty and goes to its slow path, which
// waits for the lock that we hold. Only one operation of the owner's can have begun before the barrier and be
// under way still. If that is the pop of our object, top says so: it stays at the slot until that pop is
// committed.

/// How many objects stay: the one that may be popped just now, and one more, so that a thread that wakes does
/// not miss at once.
inline constexpr uint64_t kLeftInCache = 2;

enum class Verdict : uint8_t {
    ours,       // the object, and all behind it
    undecided,  // the owner is at the slot or beyond it, and may have popped the object
    popped,     // the owner had popped the object, and has pushed another since: nothing is ours
};

/// The third step. Top comes before the slot: an owner that had popped the object and is before the slot
/// again has filled it on the way, so the slot, read later, shows it.
template <typename Lane>
Verdict judge(const Lane& lane, uint64_t new_floor) {
    const uint64_t top = lane.load_top();
    if (lane.load_slot(new_floor) != nullptr) {
        return Verdict::popped;
    }
    return top >= new_floor ? Verdict::undecided : Verdict::ours;
}

}  // namespace hotlane::reclaim
