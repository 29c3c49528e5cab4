// SPDX-License-Identifier: MIT
//
// The load test's measuring: threads that get, write and put buffers of some sizes for a while.
// Knows plain malloc and free only; whose they are is its caller's business.
// Used by bench.
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
    uint64_t writes = 0;  // to each buffer, between its get and its put
};

/// Readings of the time-stamp counter, exact up to kExact ticks.
class Histogram {
  public:
    Histogram() : counts_(kExact + 1) {}
    void add(uint64_t ticks);
    void add(const Histogram& other);
    /// The reading that a share of 0 to 1 does not exceed; the greatest one above kExact.
    uint64_t percentile(double share) const;
    uint64_t greatest() const { return greatest_; }

  private:
    static constexpr uint64_t kExact = 1 << 16;

    std::vector<uint64_t> counts_;
    uint64_t total_ = 0;
    uint64_t greatest_ = 0;
};

struct LoadResult {
    uint64_t operations = 0;    // buffers that were got, written and put
    uint64_t wall_ns = 0;       // of the whole run
    uint64_t processor_ns = 0;  // of all workers
    double ns_per_tick = 0;
    Histogram gets;   // of one operation in so many: a reading takes longer than what is read
    Histogram puts;   // the same
    Histogram empty;  // what is read when there is nothing in between
};

LoadResult run_load(const LoadOptions& options);

}  // namespace hotlane::cli
