// SPDX-License-Identifier: MIT
//
// Formats text without stdio and without allocation. os::write_all writes full buffers to the descriptor.
#include "text/writer.h"

#include "base/errno_saver.h"
#include "platform/os.h"
#include "text/characters.h"

#include <cstring>

namespace hotlane {

namespace {

constexpr char kDigits[] = "0123456789abcdef";
constexpr uint64_t kPowersOfTen[] = {1,      10,      100,      1000,      10000,
                                     100000, 1000000, 10000000, 100000000, 1000000000};
constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

/// The digits of `n` in a base from 2 to 16, padded with zeros to `at_least` digits.
struct Digits {
    explicit Digits(uint64_t n, unsigned base = 10, size_t at_least = 1) {
        while (n != 0 || sizeof buffer - start < at_least) {
            buffer[--start] = kDigits[n % base];
            n /= base;
        }
    }
    std::string_view view() const { return {buffer + start, sizeof buffer - start}; }

    char buffer[24];
    size_t start = sizeof buffer;
};

}  // namespace

void Writer::put(const char* bytes, size_t count) {
    if (!ok_ || count == 0) {
        return;
    }
    if (memory_ != nullptr) {
        const size_t fits = count < memory_capacity_ - total_ ? count : memory_capacity_ - total_;
        memcpy(memory_ + total_, bytes, fits);
        total_ += fits;
        ok_ = fits == count;
        return;
    }
    total_ += count;
    while (count != 0) {
        if (used_ == sizeof buffer_ && !flush()) {
            return;
        }
        const size_t room = sizeof buffer_ - used_;
        const size_t part = count < room ? count : room;
        memcpy(buffer_ + used_, bytes, part);
        used_ += part;
        bytes += part;
        count -= part;
    }
}

bool Writer::flush() {
    if (used_ != 0 && ok_) {
        ok_ = os::write_all(fd_, buffer_, used_);
    }
    used_ = 0;
    return ok_;
}

Writer& Writer::text(std::string_view s) {
    put(s.data(), s.size());
    return *this;
}

Writer& Writer::number(uint64_t n) { return text(Digits{n}.view()); }

Writer& Writer::signed_number(int64_t n) {
    // Negated as unsigned, because the most negative number has no positive counterpart.
    return n < 0 ? text("-").number(-static_cast<uint64_t>(n)) : number(static_cast<uint64_t>(n));
}

Writer& Writer::hex(uint64_t n) { return text("0x").text(Digits{n, 16}.view()); }

Writer& Writer::fixed(double value, unsigned decimals) {
    HOTLANE_ASSERT(decimals <= 9);
    if (value != value) {
        return text("nan");
    }
    if (value < 0) {
        text("-");
        value = -value;
    }
    const uint64_t scale = kPowersOfTen[decimals];
    // A double of 2^53 or more has no fraction, and one of 2^64 or more does not fit uint64_t.
    if (value >= 1.8e19) {
        return text("inf");
    }
    uint64_t whole = static_cast<uint64_t>(value);
    const double scaled = (value - static_cast<double>(whole)) * static_cast<double>(scale);
    uint64_t part = static_cast<uint64_t>(scaled);
    part += scaled - static_cast<double>(part) >= 0.5 ? 1 : 0;
    if (part >= scale) {
        ++whole;
        part -= scale;
    }
    number(whole);
    return decimals == 0 ? *this : text(".").text(Digits{part, 10, decimals}.view());
}

Writer& Writer::spaces(size_t count) {
    while (count-- != 0) {
        put(" ", 1);
    }
    return *this;
}

Writer& Writer::right(std::string_view s, size_t width) {
    return spaces(s.size() < width ? width - s.size() : 0).text(s);
}

Writer& Writer::left(std::string_view s, size_t width) {
    return text(s).spaces(s.size() < width ? width - s.size() : 0);
}

Writer& Writer::quoted(std::string_view s) {
    text("\"");
    while (!s.empty()) {
        const Character next = first_character(s);
        if (!next.valid) {
            text(kReplacement);  // the document stays valid when the text is not
        } else if (next.code == '"' || next.code == '\\') {
            text("\\").text({s.data(), 1});
        } else if (next.code == '\n') {
            text("\\n");
        } else if (!next.shown) {
            text("\\u").text(Digits{next.code, 16, 4}.view());  // every such code is below U+10000
        } else {
            text({s.data(), next.length});
        }
        s.remove_prefix(next.length);
    }
    return text("\"");
}

Writer& Writer::label_value(std::string_view s) {
    text("\"");
    while (!s.empty()) {
        const Character next = first_character(s);
        if (next.code == '"' || next.code == '\\') {
            text("\\").text({s.data(), 1});
        } else if (next.code == '\n') {
            text("\\n");
        } else {
            text(next.shown ? std::string_view{s.data(), next.length} : kReplacement);
        }
        s.remove_prefix(next.length);
    }
    return text("\"");
}

Writer& Writer::shown(std::string_view s, size_t most) {
    while (!s.empty()) {
        const Character next = first_character(s);
        const size_t length = next.shown ? next.length : 4 * next.length;
        if (length > most) {
            break;
        }
        most -= length;
        for (size_t i = 0; i < next.length; ++i) {
            if (next.shown) {
                text({s.data() + i, 1});
            } else {
                text("\\").text(Digits{static_cast<unsigned char>(s[i]), 8, 3}.view());
            }
        }
        s.remove_prefix(next.length);
    }
    return *this;
}

namespace {

constexpr int kStandardError = 2;
/// The identity of standard error at start; 0 means that it was closed.
constexpr uint64_t kNotLookedAt = 2;  // every identity is odd, or 0
HOTLANE_DATA_OF_EVERY_PROCESS constinit uint64_t standard_error_at_start = kNotLookedAt;

}  // namespace

HOTLANE_IN_EVERY_PROCESS void remember_standard_error() {
    standard_error_at_start = os::descriptor_identity(kStandardError);
}

bool standard_error_is_ours() {
    return standard_error_at_start == kNotLookedAt ||
           (standard_error_at_start != 0 &&
            os::descriptor_identity(kStandardError) == standard_error_at_start);
}

void write_to_standard_error(std::string_view text) {
    ErrnoSaver keep;
    if (standard_error_is_ours()) {
        (void)os::write_all(kStandardError, text.data(), text.size());
    }
}

void message(std::string_view a, std::string_view b, std::string_view c, std::string_view d,
             std::string_view e) {
    char line[2048];
    // One write, so that lines of several threads or processes do not mix. The last byte is reserved for the
    // newline.
    Writer out{line, sizeof line - 1};
    out.text("hotlane: ").shown(a).shown(b).shown(c).shown(d).shown(e);
    const size_t length = out.bytes_written();
    line[length] = '\n';
    write_to_standard_error({line, length + 1});
}

}  // namespace hotlane
