// SPDX-License-Identifier: MIT
//
// The places of a profile that allocate: its stacks added up by line, function or library, in an order.
// Knows nothing of how they are shown.
// Used by the table and by the exports.
#pragma once

#include "cli/profile/profile.h"

#include <string>
#include <string_view>
#include <vector>

namespace hotlane::cli {

enum class Grouping { site, function, library };
enum class Order { live, cumulative, count, temporary, slack };

struct AllocationSite {
    std::string function;  // the library, where sites are grouped by libraries
    std::string place;     // "file.c:12", or the library; may be empty
    AllocationTotals totals;
};

/// What counts in an order: bytes, for temporary the objects, for count too.
int64_t order_value(const AllocationTotals& totals, Order order);
std::string_view order_unit(Order order);

/// The largest first.
std::vector<AllocationSite> sites_of(const Profile& profile, Grouping grouping, Order order);

/// "file.c:12" of a frame; its library where the file is not known; empty where nothing is.
std::string place_of(const Profile& profile, uint32_t frame);

}  // namespace hotlane::cli
