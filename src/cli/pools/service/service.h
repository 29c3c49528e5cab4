// SPDX-License-Identifier: MIT
//
// What a service says about its pools, in a TOML file. hotlane(1) describes the format.
#pragma once

#include "cli/pools/contract/problems.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hotlane::cli {

struct Service {
    /// A message that the service uses, and where it says so.
    struct Use {
        std::string message;
        Place place;
    };

    std::string name;
    Place place;
    std::vector<Use> messages;
    bool is_enabled = true;                  // buffer_pool_enabled
    uint64_t budget = uint64_t{128} << 10U;  // bytes of a class
    std::optional<uint64_t> in_flight;       // buffers of a class
    bool falls_back = true;                  // exhausted = "fallback"
    std::string_view shared = "one_thread";  // a member of hotlane::sharing
    Place shared_place;
    uint64_t max_capacity = 0;  // buffers that a class may grow to
    double growth = 1.5;
    bool clears = false;
    std::optional<uint64_t> memory_limit;
    Place limit_place;
};

/// Returns the service of that name, or the only one if the name is empty. Other tables of the file are not
/// looked at. Reports everything that is wrong. The result has no name when there is no such service.
Service read_service(const std::string& file, const std::string& text, const std::string& name,
                     Problems& problems);

}  // namespace hotlane::cli
