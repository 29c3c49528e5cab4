// SPDX-License-Identifier: MIT
//
// A buffered text writer that never allocates and never calls stdio.
#pragma once

#include "base/base.h"

#include <string_view>

namespace hotlane {

/// Formats text into a fixed buffer and writes full buffers to a descriptor, or keeps the text in memory that
/// the caller provides. Errors are sticky: after the first failure all further text is dropped and `ok()` is
/// false. Not thread-safe.
class Writer {
  public:
    /// Writes to `fd`, which the caller keeps open. flush() and the destructor write what is buffered.
    explicit Writer(int fd) : fd_{fd} {}
    /// Writes at most `capacity` bytes to `memory`. Text that does not fit is dropped, and `ok()` becomes
    /// false.
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
    /// Writes text from an untrusted source. Each byte of a character that is not safe to show
    /// (text/characters.h) is written as an octal escape, as the kernel does in /proc/PID/maps: "\\012" for a
    /// newline. Writes at most `most` bytes and splits no character.
    Writer& shown(std::string_view s, size_t most = SIZE_MAX);
    /// Writes a JSON string in quotes. Characters that are not safe to show are escaped, too.
    Writer& quoted(std::string_view s);
    /// Writes the value of a Prometheus label in quotes. The format has no escape for unsafe characters
    /// except the newline, so they are replaced by U+FFFD.
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

/// Records which file standard error refers to. Called once, when the process starts.
void remember_standard_error();
/// Returns whether standard error still refers to the same file, so that a message cannot end up in a file
/// which the program opened under the same descriptor. True before remember_standard_error() was called.
bool standard_error_is_ours();
/// Writes to standard error if it still refers to the same file. Keeps errno.
void write_to_standard_error(std::string_view text);

/// Writes one line to standard error in one write: "hotlane: ", the parts as Writer::shown() writes them, and
/// a newline. Writes nothing when standard error was closed or replaced since the start.
void message(std::string_view a, std::string_view b = {}, std::string_view c = {}, std::string_view d = {},
             std::string_view e = {});

}  // namespace hotlane
