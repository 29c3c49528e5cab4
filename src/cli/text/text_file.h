// SPDX-License-Identifier: MIT
//
// Reads and writes whole files, and reports errors with the file's name.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace hotlane::cli {

/// The exit status after a FileError.
inline constexpr int kBadFile = 2;

/// A file cannot be read or written, or its content is invalid. The message is one line for the user:
/// "FILE:LINE: expected ...".
class FileError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// Returns the content of the file. Reading stops early when the file does not start with `magic`, because a
/// device may never end. Throws FileError.
std::string read_file(const std::string& file, std::string_view magic = {});

/// Returns the content of the file. Throws FileError, also when the file has more than `most` bytes.
std::string read_file_up_to(const std::string& file, size_t most);

/// Writes all of the text to an open file. `file` is its name in a FileError, which it throws.
void write_all(int descriptor, std::string_view text, const std::string& file);

/// Replaces the content of the file; "-" stands for standard output. Throws FileError.
void write_file(const std::string& file, std::string_view text);

}  // namespace hotlane::cli
