// SPDX-License-Identifier: MIT
//
// A buffered sink for text that never allocates and never calls stdio.
// Knows nothing of what is written.
// Used for every message and every report.
#pragma once

#include "base/base.h"

#include <string_view>

namespace hotlane {

/// Formats into a fixed buffer and hands full buffers to a descriptor (or keeps them, for a fixed memory
/// target). Errors are sticky: after the first failed write everything is dropped and `ok()` is false. Not
/// thread-safe.
class Writer {
  public:
    /// Writes to `fd`, which stays open. Flushed by flush() and by the destructor.
    explicit Writer(int fd) : fd_{fd} {}
    /// Writes into memory, at most `capacity` bytes; what does not fit is dropped and `ok()` becomes false.
    Writer(char* memory, size_t capacity) : fd_{-1}, memory_{memory}, memory_capacity_{capacity} {}
    ~Writer() { flush(); }
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    Writer& text(std::string_view s);
    Writer& number(uint64_t n);
    Writer& signed_number(int64_t n);
    Writer& hex(uint64_t n);                         ///< "0x" and lower-case digits
    Writer& fixed(double value, unsigned decimals);  ///< "12.34"; decimals ≤ 9
    Writer& spaces(size_t count);
    Writer& right(std::string_view s, size_t width);  ///< padded on the left
    Writer& left(std::string_view s, size_t width);   ///< padded on the right
    /// Names come from anywhere. What cannot be shown (text/characters.h) is written as the kernel writes it
    /// in /proc/PID/maps, "\\012" for a newline, so that it neither ends a line nor reaches a terminal. At
    /// most `most` bytes, in whole characters.
    Writer& shown(std::string_view s, size_t most = SIZE_MAX);
    /// Between quotes, escaped as JSON wants it; what cannot be shown too.
    Writer& quoted(std::string_view s);
    /// Between quotes, escaped as Prometheus wants the value of a label. Its format has no escape for what
    /// cannot be shown, but for a newline: U+FFFD stands for it.
    Writer& label_value(std::string_view s);

    bool flush();
    bool ok() const { return ok_; }
    size_t bytes_written() const { return total_; }

  private:
    void put(const char* bytes, size_t count);

    int fd_;
    char* memory_ = nullptr;
    size_t memory_capacity_ = 0;
    size_t total_ = 0;
    size_t used_ = 0;
    bool ok_ = true;
    char buffer_[1024];
};

/// Notes what standard error is. Once, when the process starts.
void remember_standard_error();
/// Whether it still is what it was then, so that no file of the program's has taken its descriptor. True
/// before.
bool standard_error_is_ours();
/// Writes to it, if it is.
void write_to_standard_error(std::string_view text);

/// One line on stderr, "hotlane: " first, newline last, in one write; the parts as Writer::shown() writes
/// them. For what the user must know; honours nothing but the descriptor being what it was at start.
void message(std::string_view a, std::string_view b = {}, std::string_view c = {}, std::string_view d = {},
             std::string_view e = {});

}  // namespace hotlane
