// SPDX-License-Identifier: MIT
//
// A profile as one JSON document: what `hotlane report --json` writes and the page of --html holds.
// Knows nothing of dumps or symbols.
// Called by report.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace hotlane::cli {

class Profile;

/// Numbers are signed: the difference of two dumps has negative ones.
///
// clang-format off: a table
///     {"hotlane_profile": 1,
///      "program": "/usr/bin/x", "process": 1234, "time_ns": 0, "duration_ns": 0, "reason": "exit",
///      "sequence": 0, "period": 524288, "unwind": "libunwind", "samples": 0, "lost_samples": 0,
///      "classes": [{"size": 64, "hits": 0, "misses": 0, "puts": 0}],            by size
///      "functions": [{"name": "f", "file": "/path/a.c", "library": "libx.so"}],  "" where not known
///      "frames": [{"function": 0, "line": 12, "address": "0x1136", "inlined": false}],  line 0: not known
///      "stacks": [{"frames": [0], "site": 0,
///                  "live": {"objects": 0, "bytes": 0, "requested": 0}, "cumulative": the same,
///                  "temporary": {"objects": 0, "bytes": 0}, "remote": the same,
///                  "lifetimes": [[20, 64]]}]}
// clang-format on
///
/// A stack's frames are indices from the leaf to the root, its site the place among them of the first that is
/// no allocator's; a lifetime is [log2 of nanoseconds, objects]; an address counts from the start of the
/// library.
nlohmann::json to_json(const Profile& profile);

}  // namespace hotlane::cli
