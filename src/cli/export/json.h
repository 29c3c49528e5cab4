// SPDX-License-Identifier: MIT
//
// A profile as one JSON document, for `hotlane report --json` and for the page of --html.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace hotlane::cli {

class Profile;

/// Returns the document. Numbers are signed, because the difference of two dumps may be negative:
///
///     {"hotlane_profile": 1,
///      "program": "/usr/bin/x", "process": 1234, "time_ns": 0, "duration_ns": 0, "reason": "exit",
///      "begin_ns": 0, "peak_ns": 0, "has_peak": true, "difference": false,
///      "sequence": 0, "period": 524288, "unwind": "libunwind", "samples": 0, "lost_samples": 0,
///      "classes": [{"size": 64, "hits": 0, "misses": 0, "puts": 0}],
///      "bytes": "class", "timeline": [[0, 0, 0, 0, 0]],
///      "moments": [{"at_ns": 0, "sequence": 0, "reason": "interval", "changes": [[0, 1, 64, 50, ...]]}],
///      "functions": [{"name": "f", "file": "/path/a.c", "library": "libx.so"}],
///      "frames": [{"function": 0, "line": 12, "address": "0x1136", "inlined": false}],
///      "stacks": [{"frames": [0], "site": 0,
///                  "live": {"objects": 0, "bytes": 0, "requested": 0},
///                  "peak": {"objects": 0, "bytes": 0, "requested": 0},
///                  "cumulative": {"objects": 0, "bytes": 0, "requested": 0},
///                  "temporary": {"objects": 0, "bytes": 0},
///                  "remote": {"objects": 0, "bytes": 0},
///                  "lifetimes": [[20, 64]]}]}
///
/// `peak` is only there if `has_peak` is true. A point of the timeline is [nanoseconds since begin_ns, live
/// bytes, resident bytes, requests, misses]; the last two are counts since the process started.
/// Moments are earlier dumps of the same process. A change since the moment before is [index of the stack; live
/// objects, bytes and requested bytes; the same of cumulative; temporary objects and bytes; remote objects and
/// bytes]. With `bytes` "requested", the bytes of live, peak and cumulative are those requested.
/// A base that is not subtracted yet (Profile::Base) is the member "base": what its origin says, its classes, and its
/// stacks, each with "stack", an index, in the place of frames and site.
/// Classes are in ascending order of size. An unknown name, file or library is "", and an unknown line is 0.
/// An address is relative to the library. The frames of a stack are indices, from the leaf to the root;
/// `site` is the position among them of the first frame that does not belong to an allocator. A lifetime is
/// [log2 of nanoseconds, objects].
nlohmann::json to_json(const Profile& profile);

}  // namespace hotlane::cli
