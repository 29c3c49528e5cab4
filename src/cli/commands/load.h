// SPDX-License-Identifier: MIT
//
// The load of `hotlane bench load`: threads allocate, write and free buffers of given sizes for a given time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace hotlane::cli {

struct LoadOptions {
    uint64_t duration_ns = 0;
    unsigned workers = 0;
    std::vector<size_t> sizes;
    uint64_t writes = 0;  // to each buffer, after its allocation
    size_t held = 1;      // buffers that each thread holds at once; the oldest one is freed
};

/// A histogram of time-stamp counter readings, exact up to kExact ticks.
class Histogram {
  public:
    Histogram() : counts_(kExact + 1) {}
    void add(uint64_t ticks);
    void add(const Histogram& other);
    /// Returns the least reading that a fraction `share` (0 to 1) of all readings does not exceed, or the
    /// greatest reading when it is above kExact.
    uint64_t percentile(double share) const;
    uint64_t greatest() const { return greatest_; }

  private:
    static constexpr uint64_t kExact = 1 << 16;

    std::vector<uint64_t> counts_;
    uint64_t total_ = 0;
    uint64_t greatest_ = 0;
};

struct LoadResult {
    uint64_t operations = 0;    // buffers that were allocated, written and freed
    uint64_t wall_ns = 0;       // of the whole run
    uint64_t processor_ns = 0;  // of all workers
    double ns_per_tick = 0;
    Histogram gets;   // of a sample of the operations, because a reading takes longer than the operation
    Histogram puts;   // of the same sample
    Histogram empty;  // of two readings with nothing between them
};

/// Runs the load and waits for its end.
LoadResult run_load(const LoadOptions& options);

}  // namespace hotlane::cli
