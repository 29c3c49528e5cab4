// SPDX-License-Identifier: MIT
//
// The slow-path countdown of one lane: it counts hits, and it stops the fast path when something is due.
#pragma once

#include "base/atomic_access.h"
#include "base/base.h"

namespace hotlane {

/// The fast path decrements the word `left` with each hit, and gives up when there was nothing left to take
/// away: `left` is then -1. So one instruction counts the hit and asks whether a poll or a sample is due.
/// This is the other half of the counter, which only slow paths touch.
///
/// Invariant: hits() is exact at every moment outside the fast path, whatever start(), resolve() and limit()
/// do:
///   hits = hits_before + (started_from - left), modulo 2^64
///
/// Changed by the owner under its block's lock; others read under that lock. The owner may read without it,
/// so the words are stored atomically. `left` is the lane's word, passed in because the fast path needs it
/// beside the lane's top.
struct Countdown {
    uint64_t hits_before;    // until the countdown was started
    uint16_t started_from;   // hits that it was started with
    uint16_t beyond_sample;  // hits that were asked for but lie beyond the next sample

    uint64_t hits(const uint64_t& left) const {
        return load_relaxed(hits_before) + load_relaxed(started_from) - load_relaxed(left);
    }

    /// Counts one hit that did not come from the fast path.
    void count_hit() { add_relaxed(hits_before, 1); }

    /// The next `hits_wanted` pops (at most UINT16_MAX) are plain hits, but not more than
    /// `hits_until_sample`; the pop after them takes the slow path.
    void start(uint64_t& left, uint64_t hits_wanted, uint64_t hits_until_sample);

    /// Undoes the decrement of a fast path that gave up. What was due may have allocated of the same class
    /// meanwhile, which leaves `left` further below zero: those pops were hits and stay counted.
    void resolve(uint64_t& left);

    /// Restarts with the hits that are left when the sample came nearer than that, or went farther away.
    void limit(uint64_t& left, uint64_t hits_until_sample);
};

}  // namespace hotlane
