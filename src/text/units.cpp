// SPDX-License-Identifier: MIT
//
// Parses and prints sizes, durations, counts and percentages. The units are rows of tables.
#include "text/units.h"

#include <cstring>

namespace hotlane {

namespace {

struct Unit {
    char name[4];
    uint64_t scale;
};

// Largest first: the printers use the first unit that fits.
constexpr Unit kSizeUnits[] = {{"T", 1024 * GiB}, {"G", GiB}, {"M", MiB}, {"K", KiB}, {"", 1}};
constexpr uint64_t kSecond = 1'000'000'000;
constexpr Unit kTimeUnits[] = {{"h", 3600 * kSecond}, {"m", 60 * kSecond}, {"s", kSecond},
                               {"ms", 1'000'000},     {"us", 1000},        {"ns", 1}};
constexpr Unit kCountUnits[] = {{"E", 1'000'000'000'000'000'000},
                                {"P", 1'000'000'000'000'000},
                                {"T", 1'000'000'000'000},
                                {"G", 1'000'000'000},
                                {"M", 1'000'000}};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool equals_ignoring_case(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) {
        return false;
    }
    for (size_t i = 0; i < a.size(); ++i) {
        if ((a[i] | 0x20) != (b[i] | 0x20)) {
            return false;
        }
    }
    return true;
}

/// A decimal number as written: its digits without the point, and ten to the power of the number of digits
/// after the point.
struct Decimal {
    uint64_t digits = 0;
    uint64_t divisor = 1;
};

/// Removes a number such as "12", "12.5" or ".5" from the front of `text`. It accepts at most 18 digits, so
/// nothing overflows.
bool take_decimal(std::string_view& text, Decimal& decimal) {
    size_t digits = 0;
    bool point = false;
    for (; !text.empty() && (is_digit(text.front()) || (text.front() == '.' && !point));
         text.remove_prefix(1)) {
        if (text.front() == '.') {
            point = true;
            continue;
        }
        if (++digits > 18) {
            return false;
        }
        decimal.digits = decimal.digits * 10 + static_cast<uint64_t>(text.front() - '0');
        decimal.divisor *= point ? 10 : 1;
    }
    return digits != 0;
}

bool scale_decimal(const Decimal& decimal, uint64_t scale, uint64_t& result) {
    // The product of 18 digits and 1 TiB needs more than 64 bits.
    __extension__ using Wide = unsigned __int128;
    const Wide scaled = static_cast<Wide>(decimal.digits) * scale / decimal.divisor;
    if (scaled > UINT64_MAX) {
        return false;
    }
    result = static_cast<uint64_t>(scaled);
    return true;
}

template <size_t N>
void write_exact(Writer& out, uint64_t n, const Unit (&units)[N]) {
    for (const Unit& unit : units) {
        if (n % unit.scale == 0) {
            out.number(n / unit.scale).text(unit.name);
            return;
        }
    }
}

/// Writes three or four digits and a point: 1.234, 12.34, 123.4.
void write_short(Writer& out, uint64_t n, uint64_t scale) {
    const double value = static_cast<double>(n) / static_cast<double>(scale);
    out.fixed(value, value < 9.9995 ? 3 : value < 99.995 ? 2 : 1);
}

/// Calls `write` with a small buffer and pads the result on the left.
template <class Write>
void right_aligned(Writer& out, size_t width, Write write) {
    char text[48];
    Writer part{text, sizeof text};
    write(part);
    out.right({text, part.bytes_written()}, width);
}

}  // namespace

bool parse_count(std::string_view text, uint64_t& count) {
    Decimal decimal;
    if (text.find('.') != std::string_view::npos || !take_decimal(text, decimal) || !text.empty()) {
        return false;
    }
    count = decimal.digits;
    return true;
}

bool parse_size(std::string_view text, uint64_t& bytes) {
    Decimal decimal;
    if (!take_decimal(text, decimal)) {
        return false;
    }
    for (const Unit& unit : kSizeUnits) {
        const size_t length = strlen(unit.name);
        if (length != 0 && (text.empty() || !equals_ignoring_case({text.data(), 1}, unit.name))) {
            continue;
        }
        text.remove_prefix(length);
        const bool suffix = text.empty() || equals_ignoring_case(text, "b") ||
                            (length != 0 && equals_ignoring_case(text, "ib"));
        return suffix && scale_decimal(decimal, unit.scale, bytes);
    }
    return false;
}

bool parse_duration(std::string_view text, uint64_t& ns) {
    Decimal decimal;
    if (!take_decimal(text, decimal)) {
        return false;
    }
    if (text.empty() && decimal.digits == 0) {
        ns = 0;
        return true;
    }
    for (const Unit& unit : kTimeUnits) {
        if (text == unit.name) {
            return scale_decimal(decimal, unit.scale, ns);
        }
    }
    return false;
}

bool parse_percent(std::string_view text, double& percent) {
    Decimal decimal;
    if (!take_decimal(text, decimal) || !(text.empty() || text == "%")) {
        return false;
    }
    percent = static_cast<double>(decimal.digits) / static_cast<double>(decimal.divisor);
    return true;
}

void write_size(Writer& out, uint64_t bytes) {
    if (bytes == 0) {
        out.text("0");
        return;
    }
    write_exact(out, bytes, kSizeUnits);
}

void write_duration(Writer& out, uint64_t ns) {
    if (ns == 0) {
        out.text("0");
        return;
    }
    write_exact(out, ns, kTimeUnits);
}

void write_grouped_count(Writer& out, uint64_t count) {
    if (count >= 1000) {
        write_grouped_count(out, count / 1000);
        const uint64_t rest = count % 1000;
        out.text(rest < 10 ? ",00" : rest < 100 ? ",0" : ",").number(rest);
    } else {
        out.number(count);
    }
}

void write_rounded_size(Writer& out, uint64_t bytes, size_t width) {
    right_aligned(out, width, [bytes](Writer& part) {
        for (const Unit& unit : kSizeUnits) {
            if (unit.scale == 1) {
                part.number(bytes).text(" B");
            } else if (bytes % unit.scale == 0 && bytes / unit.scale - 1 < 1023) {
                part.number(bytes / unit.scale).text(" ").text(unit.name).text("iB");
                return;
            } else if (bytes >= unit.scale) {
                const double value = static_cast<double>(bytes) / static_cast<double>(unit.scale);
                part.fixed(value, value < 9.95 ? 1 : 0).text(" ").text(unit.name).text("iB");
                return;
            }
        }
    });
}

void write_rounded_count(Writer& out, uint64_t count, size_t width) {
    constexpr uint64_t kLargestInFull = 999'999;
    right_aligned(out, width, [count](Writer& part) {
        for (const Unit& unit : kCountUnits) {
            // A value that would round up to 1000 is written as 1 of the next unit.
            if (count > kLargestInFull && count >= unit.scale - unit.scale / 20'000) {
                write_short(part, count, unit.scale);
                part.text(" ").text(unit.name);
                return;
            }
        }
        write_grouped_count(part, count);
    });
}

void write_rounded_duration(Writer& out, uint64_t ns, size_t width) {
    right_aligned(out, width, [ns](Writer& part) {
        if (ns >= 60 * kSecond) {
            const uint64_t seconds = ns / kSecond;
            const bool hours = seconds >= 3600;
            part.number(hours ? seconds / 3600 : seconds / 60).text(hours ? " h " : " min ");
            part.number(hours ? seconds / 60 % 60 : seconds % 60).text(hours ? " min" : " s");
            return;
        }
        for (const Unit& unit : kTimeUnits) {
            if (ns >= unit.scale) {
                const double value = static_cast<double>(ns) / static_cast<double>(unit.scale);
                part.fixed(value, unit.scale == 1 ? 0 : value < 9.995 ? 2 : value < 99.95 ? 1 : 0);
                part.text(" ").text(unit.name);
                return;
            }
        }
        part.text("0 s");
    });
}

}  // namespace hotlane
