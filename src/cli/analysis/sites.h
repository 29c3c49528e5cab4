// SPDX-License-Identifier: MIT
//
// The allocation sites of a profile: its stacks summed by line, function or library, and sorted.
#pragma once

#include "cli/profile/profile.h"

#include <string>
#include <string_view>
#include <vector>

namespace hotlane::cli {

enum class Grouping { site, function, library };
enum class Order { peak, live, cumulative, count, temporary, slack };

/// One group of stacks, with the sum of their totals.
struct AllocationSite {
    std::string function;  // or the library, when sites are grouped by library
    std::string place;     // "file.c:12" or the library; may be empty
    AllocationTotals totals;
};

/// Returns the number that an order sorts by. It counts objects for `count` and `temporary`, and bytes for
/// the others; order_unit() returns which.
int64_t order_value(const AllocationTotals& totals, Order order);
std::string_view order_unit(Order order);
/// "peak", "live" and so on: the names of the option --sort, in the order of the enumerators.
std::string_view order_name(Order order);
/// Returns the order that says most about the profile: the peak at the end of a program, which has freed
/// nearly everything by then, and live bytes at any other time.
Order default_order(const Profile& profile);

/// Returns the sites of a profile, the largest first. O(n log n) in the number of stacks.
std::vector<AllocationSite> sites_of(const Profile& profile, Grouping grouping, Order order);

/// Returns "file.c:12" of a frame, its library when the file is unknown, or nothing when both are unknown.
std::string place_of(const Profile& profile, uint32_t frame);

}  // namespace hotlane::cli
