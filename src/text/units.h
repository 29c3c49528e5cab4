// SPDX-License-Identifier: MIT
//
// Numbers with units as people write them, in both directions: 64K, 1.5G, 500ms, 90%.
// Knows nothing of options or reports; never allocates.
// Used by the option table, the reports and the command.
#pragma once

#include "base/base.h"
#include "text/writer.h"

#include <string_view>

namespace hotlane {

/// Each returns false, and leaves the number alone, unless all of the text is one such value.

/// Digits only.
[[nodiscard]] bool parse_count(std::string_view text, uint64_t& count);
/// "4096", "64K", "1.5GiB": K, M, G, T are powers of 1024, with or without B or iB, in either case.
[[nodiscard]] bool parse_size(std::string_view text, uint64_t& bytes);
/// "250us", "1.5s", "2m": ns, us, ms, s, m, h; a number without a unit is refused, except 0.
[[nodiscard]] bool parse_duration(std::string_view text, uint64_t& ns);
/// "90", "99.5%". Range not checked.
[[nodiscard]] bool parse_percent(std::string_view text, double& percent);

/// Exactly, in the largest unit that needs no fraction: what parse_size would read back.
void write_size(Writer& out, uint64_t bytes);
void write_duration(Writer& out, uint64_t ns);

/// Exactly, in groups of three digits: "12,345,678".
void write_grouped_count(Writer& out, uint64_t count);

/// For a reader, three or four digits and a unit, right-aligned: "1.5 MiB", "12.35 M", "1.24 s".
void write_rounded_size(Writer& out, uint64_t bytes, size_t width = 0);
void write_rounded_count(Writer& out, uint64_t count, size_t width = 0);
void write_rounded_duration(Writer& out, uint64_t ns, size_t width = 0);

}  // namespace hotlane
