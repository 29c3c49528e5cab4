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
    /// Between quotes, escaped as JSON wants it (also valid for Prometheus label values).
    Writer& quoted(std::string_view s);

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

/// One line on stderr, "hotlane: " first, newline last, in one write.
/// For what the user must know; honours nothing but the descriptor being open.
void message(std::string_view a, std::string_view b = {}, std::string_view c = {}, std::string_view d = {},
             std::string_view e = {});

}  // namespace hotlane
