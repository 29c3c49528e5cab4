// SPDX-License-Identifier: MIT
//
// Formats signed quantities with the library's writers of units.
#include "cli/text/quantity.h"

#include "text/units.h"

namespace hotlane::cli {

namespace {

template <typename Write>
std::string signed_text(int64_t number, Write write) {
    char text[64];
    Writer out{text, sizeof text};
    if (number < 0) {
        out.text("-");
    }
    write(out, number < 0 ? -static_cast<uint64_t>(number) : static_cast<uint64_t>(number));
    return {text, out.bytes_written()};
}

}  // namespace

std::string size_text(int64_t bytes) {
    return signed_text(bytes, [](Writer& out, uint64_t n) { write_rounded_size(out, n); });
}

std::string count_text(int64_t count) {
    return signed_text(count, [](Writer& out, uint64_t n) { write_rounded_count(out, n); });
}

std::string duration_text(int64_t ns) {
    return signed_text(ns, [](Writer& out, uint64_t n) { write_rounded_duration(out, n); });
}

std::string share_text(int64_t part, int64_t whole) {
    if (whole == 0) {
        return "-";
    }
    char text[32];
    Writer out{text, sizeof text};
    const double share = 100.0 * static_cast<double>(part) / static_cast<double>(whole);
    out.text(share < 0 ? "-" : "").fixed(share < 0 ? -share : share, 1).text(" %");
    return {text, out.bytes_written()};
}

std::string hex_text(uint64_t number) {
    char text[24];
    Writer out{text, sizeof text};
    out.hex(number);
    return {text, out.bytes_written()};
}

std::string counted(int64_t count, const std::string& noun) {
    return count_text(count) + " " + noun + (count == 1 ? "" : "s");
}

}  // namespace hotlane::cli
