// SPDX-License-Identifier: MIT
//
// The slow-path countdown of one lane: it counts hits, and it stops the fast path when something is due.
#pragma once

#include "base/atomic_access.h"
#include "base/base.h"

namespace hotlane {

/// The fast path decrements the word `left`, and gives up if that makes it negative. So one instruction counts the
/// hit and asks whether a poll or a sample is due. A negative word stands for 0: what was subtracted below zero were
/// no hits. This is the other half of the counter, which only slow paths touch.
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
        return load_relaxed(hits_before) + load_relaxed(started_from) - not_negative(load_relaxed(left));
    }

    /// Counts one hit that did not come from the fast path.
    void count_hit() { add_relaxed(hits_before, 1); }

    /// The next `hits_wanted` pops (at most UINT16_MAX) are plain hits, but not more than
    /// `hits_until_sample`; the pop after them takes the slow path.
    void start(uint64_t& left, uint64_t hits_wanted, uint64_t hits_until_sample);

    /// Sets a negative word to 0. Only the owner calls it.
    static void resolve(uint64_t& left) {
        if (const uint64_t now = load_relaxed(left); now != not_negative(now)) {
            store_relaxed(left, uint64_t{0});
        }
    }

    /// Restarts with the hits that are left when the sample came nearer than that, or went farther away.
    void limit(uint64_t& left, uint64_t hits_until_sample);

  private:
    static uint64_t not_negative(uint64_t left) { return static_cast<int64_t>(left) < 0 ? 0 : left; }
};

}  // namespace hotlane
