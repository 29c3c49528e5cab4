// SPDX-License-Identifier: MIT
//
// A file that is written as a whole or not at all, and the pattern that names it.
// Knows nothing of what is written.
// Used by the report of counters and by profiles.
#pragma once

#include "base/config.h"

namespace hotlane {

/// What a pattern's letters stand for.
struct NameFields {
    int process_id = 0;        // %p
    std::string_view program;  // %e
    uint64_t number = 0;       // %n
};

/// `pattern` with its letters replaced, and %% by %. False when it does not fit.
[[nodiscard]] bool expand_path(const char* pattern, const NameFields& fields, char* out, size_t capacity);

/// Writes to a temporary file beside the one named, which takes its name when all is written; an existing
/// file is then replaced, else it is as it was. What is no regular file (a pipe, /dev/stderr) is written
/// directly.
class OutputFile {
  public:
    OutputFile(const char* path, int process_id);
    ~OutputFile();
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;

    /// -1 when it cannot be opened.
    int descriptor() const { return descriptor_; }
    /// Ends it; `written` says whether everything was. False when the file is not there as it should be.
    [[nodiscard]] bool finish(bool written);

  private:
    const char* path_;
    int descriptor_;
    bool direct_;
    char temporary_[Config::kPathCapacity + 32];
};

}  // namespace hotlane
