// SPDX-License-Identifier: MIT
//
// Which sizes the program asks for: the samples of a session by requested size, with what was live at the peak.
// `hotlane tune` computes size classes from it.
#pragma once

#include "base/base.h"

namespace hotlane::size_histogram {

/// A row counts the requests of up to `kStep` bytes less than its size. Requests above kLargestSmall have no
/// size class and no row.
inline constexpr size_t kStep = 16;
inline constexpr size_t kRows = kLargestSmall / kStep;

/// Estimates for one row. The sums are fixed-point numbers (sampler::kWeightShift).
struct Row {
    uint64_t requests;
    uint64_t live;
    uint64_t live_bytes;  // as requested
    uint64_t peak;        // `live` when the live bytes of all rows were at their peak
    uint64_t peak_bytes;
    uint64_t early;  // most live objects in the first second of the session
};

/// Returns false if there is no memory. Called once, before the first sample.
bool set_up();
/// A session begins: its first second is recorded in Row::early.
void begin_session(uint64_t now_ns);

/// Any thread, no lock. Callers that may race with a fork hold a lock that the fork takes, too.
void add(size_t n, uint64_t weight, uint64_t now_ns);
void take(size_t n, uint64_t weight);

/// Calls `visit` with the size and the values of each row that ever had a request.
void for_each(void (*visit)(size_t size, const Row& row, void* context), void* context);

}  // namespace hotlane::size_histogram
