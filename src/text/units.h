// SPDX-License-Identifier: MIT
//
// Parses and prints numbers with units, such as 64K, 1.5G, 500ms and 90%. Nothing here allocates.
#pragma once

#include "base/base.h"
#include "text/writer.h"

#include <string_view>

namespace hotlane {

/// Each parser returns false and leaves the result unchanged unless the whole text is one valid value.

/// Accepts digits only.
[[nodiscard]] bool parse_count(std::string_view text, uint64_t& count);
/// Accepts sizes such as "4096", "64K" and "1.5GiB". K, M, G and T are powers of 1024, in either case,
/// optionally followed by B or iB.
[[nodiscard]] bool parse_size(std::string_view text, uint64_t& bytes);
/// Accepts durations such as "250us", "1.5s" and "2m". The units are ns, us, ms, s, m and h. A number without
/// a unit is invalid, except 0.
[[nodiscard]] bool parse_duration(std::string_view text, uint64_t& ns);
/// Accepts percentages such as "90" and "99.5%". The caller checks the range.
[[nodiscard]] bool parse_percent(std::string_view text, double& percent);

/// Write the exact value in the largest unit that needs no fraction. The parsers read it back unchanged.
void write_size(Writer& out, uint64_t bytes);
void write_duration(Writer& out, uint64_t ns);

/// Writes the exact number with its digits in groups of three: "12,345,678".
void write_grouped_count(Writer& out, uint64_t count);

/// Write three or four digits and a unit, right-aligned, for people: "1.5 MiB", "12.35 M", "1.24 s".
void write_rounded_size(Writer& out, uint64_t bytes, size_t width = 0);
void write_rounded_count(Writer& out, uint64_t count, size_t width = 0);
void write_rounded_duration(Writer& out, uint64_t ns, size_t width = 0);

}  // namespace hotlane
