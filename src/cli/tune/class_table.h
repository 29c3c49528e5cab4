// SPDX-License-Identifier: MIT
//
// Computes the table of size classes that loses the least memory to rounding, and what a table loses.
#pragma once

#include "cli/tune/demand.h"

#include <cstdint>
#include <vector>

namespace hotlane::cli {

/// The sizes of a table's classes, ascending; the last is 64 KiB.
using ClassSizes = std::vector<uint32_t>;

/// A size that a class may have.
struct Candidate {
    uint32_t size = 0;
    double bytes_per_object = 0;  // the size, and its share of what is left over at the end of a span
    double weight = 0;            // objects whose request is above the previous candidate and up to this one
};

/// The largest ratio between the sizes of neighbouring classes: so a size that the run did not ask for loses at
/// most half of its object.
inline constexpr uint32_t kLargestRatio = 2;
/// The size of the first class is at most this.
inline constexpr uint32_t kLargestFirst = 64;
/// The fewest and most classes that a table can have: from 64 bytes to 64 KiB in steps of kLargestRatio, and as
/// many as fit in a page's class byte.
inline constexpr unsigned kFewestClasses = 11;
inline constexpr unsigned kMostClasses = 63;

/// Chooses at most `most` of the candidates such that the sum of weight * bytes_per_object, over all candidates
/// and the class that serves each, is the least. The last candidate is always chosen. O(most * candidates²), by
/// dynamic programming: the best table with k classes that ends at a candidate extends a best table with k - 1.
ClassSizes least_rounding(const std::vector<Candidate>& candidates, unsigned most);

/// The best table for the demand. `alignment` is 16 or 64: all sizes are multiples of it.
ClassSizes best_classes(const Demand& demand, unsigned most, uint32_t alignment);

/// The tables that the library has for HOTLANE_SIZE_CLASSES=cacheline and compact.
ClassSizes cacheline_classes();
ClassSizes compact_classes();

/// The index of the class that serves requests of `size` bytes.
size_t class_for(const ClassSizes& classes, uint32_t size);
/// What the live objects have beyond the bytes requested.
double rounding_bytes(const Demand& demand, const ClassSizes& classes);
/// What the live objects take in spans, the free objects that each class keeps, and the bookkeeping of the spans.
/// It is an estimate: memory that was used before for something else may be resident, too.
double resident_bytes(const Demand& demand, const ClassSizes& classes);

}  // namespace hotlane::cli
