// SPDX-License-Identifier: MIT
//
// The profile as the page reads it. A browser reads a few long lists of numbers much faster than many small objects.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace hotlane::cli {

/// Changes a document of to_json() (json.h): sorts its stacks by their functions from the root on, so that the stacks
/// with the same callers are neighbours, and replaces them by columns:
///
///     "stacks": {"count": 2, "depths": [3, 2], "frames": [0, 1, 5, 0, 3], "sites": [5, 3],
///                "columns": {"live.objects": [1, 1], "live.bytes": [64, 64], ...},
///                "lifetimes": {"stacks": [0], "log2": [20], "objects": [64]}}
///
/// Frames are indices, from the root to the leaf; a site is one of them, or -1. A column of zeros is left out. A change
/// of a moment begins with the new index of the stack. The stacks of a base become columns of the same kind. A document
/// without stacks stays as it is.
nlohmann::json page_data(nlohmann::json profile);

}  // namespace hotlane::cli
