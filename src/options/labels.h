// SPDX-License-Identifier: MIT
//
// The labels that HOTLANE_LABELS adds to the counters: "name=value,name=value".
// Knows nothing of the formats that show them.
// Used by the option's row and by the reports.
#pragma once

#include <string_view>

namespace hotlane {

/// Labels that series have of their own.
inline constexpr const char* kOwnLabels[] = {"program", "pid", "class", "reason", "pool"};

struct Label {
    std::string_view name;
    std::string_view value;
};

/// Takes the first label off `list`, which must not be empty. Without a '=' the value is empty.
Label take_label(std::string_view& list);

/// Each label is NAME=VALUE, each name is one that Prometheus takes (`[a-zA-Z_][a-zA-Z0-9_]*`, two
/// underscores at the front are Prometheus's own), and none comes twice or is one of kOwnLabels. No label at
/// all is valid, too.
[[nodiscard]] bool labels_are_valid(std::string_view list);

}  // namespace hotlane
