// SPDX-License-Identifier: MIT
//
// A scope that proves that a hot path allocates nothing. hotlane.hpp has the rules that hold for all classes.
#pragma once

#include "hotlane/no_allocation.h"

#include <cstdint>

namespace hotlane {

/// What happens at a request inside a no_allocation.
enum class on_allocation : std::uint8_t { count, abort };

/// Counts the calling thread's allocations and frees from its construction to its end, or aborts at the first
/// one: see hotlane_no_allocation_begin(). Ends on the thread that it began on, also when an exception leaves
/// the scope; throwing that exception allocates.
class [[nodiscard]] no_allocation {
  public:
    explicit no_allocation(on_allocation action = on_allocation::count) noexcept {
        hotlane_no_allocation_begin(&scope_, action == on_allocation::abort ? HOTLANE_NO_ALLOCATION_ABORT
                                                                            : HOTLANE_NO_ALLOCATION_COUNT);
    }
    ~no_allocation() { hotlane_no_allocation_end(&scope_); }
    no_allocation(const no_allocation&) = delete;
    no_allocation& operator=(const no_allocation&) = delete;

    /// The requests so far. Both are 0 where the hot path allocates nothing. O(size classes).
    std::uint64_t allocations() const noexcept {
        return hotlane_thread_allocations() - scope_.allocations_before;
    }
    std::uint64_t frees() const noexcept { return hotlane_thread_frees() - scope_.frees_before; }

  private:
    hotlane_no_allocation scope_{};
};

}  // namespace hotlane
