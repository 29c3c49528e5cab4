// SPDX-License-Identifier: MIT
//
// The lines of a dump that describe one thing each: a stack, a size, a moment.
#pragma once

#include "cli/profile/dump.h"
#include "cli/text/text_cursor.h"

namespace hotlane::cli {

// Each function returns false if the line is malformed.

/// Reads "live=… total=… peak=… temporary=… remote=… size=… thread=… lifetimes=…". The first two are required; unknown
/// words are ignored. Dumps of format 1 have no peak.
bool read_site(TextCursor line, Dump::Entry& entry, bool& has_peak);
/// Reads "17 worker".
bool read_thread(TextCursor line, std::map<uint32_t, std::string>& threads);
/// Reads "64 hits=1000 misses=12 puts=990".
bool read_class(TextCursor line, std::map<int64_t, Profile::SizeClass>& classes);
/// Reads "64 requests=1000 live=10,560 peak=600,33600 early=12".
bool read_size(TextCursor line, std::map<int64_t, Dump::RequestedSize>& sizes);
/// Reads "1000 live=1 rss=2 requests=3 misses=4". Points must be in order of time.
bool read_point(TextCursor line, std::vector<TimePoint>& timeline);

}  // namespace hotlane::cli
