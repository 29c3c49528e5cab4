// SPDX-License-Identifier: MIT
//
// Parses HOTLANE_LABELS, a list "name=value,name=value" of labels that every counter gets.
#pragma once

#include <string_view>

namespace hotlane {

/// Labels that hotlane's own series use.
inline constexpr const char* kOwnLabels[] = {"program", "pid", "class", "reason", "pool"};

struct Label {
    std::string_view name;
    std::string_view value;
};

/// Removes the first label from `list`, which must not be empty. The value is empty when there is no '='.
Label take_label(std::string_view& list);

/// Returns whether each label is NAME=VALUE, each name is valid in Prometheus (`[a-zA-Z_][a-zA-Z0-9_]*`
/// without two leading underscores, which Prometheus reserves), no name occurs twice, and none is in
/// kOwnLabels. An empty list is valid.
[[nodiscard]] bool labels_are_valid(std::string_view list);

}  // namespace hotlane
