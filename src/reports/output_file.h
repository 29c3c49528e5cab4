// SPDX-License-Identifier: MIT
//
// A file that is written as a whole or not at all, and the pattern that names it.
// Knows nothing of what is written.
// Used by the report of counters and by profiles.
#pragma once

#include "options/config.h"

namespace hotlane {

/// What a pattern's letters stand for.
struct NameFields {
    int process_id = 0;        // %p
    std::string_view program;  // %e
    uint64_t number = 0;       // %n
};

/// `pattern` with its letters replaced, and %% by %. False when it does not fit.
[[nodiscard]] bool expand_path(const char* pattern, const NameFields& fields, char* out, size_t capacity);

/// A file that is written beside the one named, and takes its name when all is written. Until then an
/// existing file stays as it is; then it is replaced, and its permissions are kept.
///
/// Three things are written directly: a character device, a descriptor of this process by its name
/// (/dev/stderr, /dev/stdout, /dev/fd/N, /proc/self/fd/N), and what a link leads to, if the link belongs to
/// this user or to root. Everything else is refused: a FIFO, which may have no reader, another user's link,
/// which may lead to any file of this user, sockets, directories, disks.
class OutputFile {
  public:
    explicit OutputFile(const char* path);
    ~OutputFile();
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;

    /// -1 when it cannot be opened.
    int descriptor() const { return descriptor_; }
    /// Ends it; `written` says whether everything was, else errno says why not. False when the file is not
    /// there as it should be.
    [[nodiscard]] bool finish(bool written);
    /// What went wrong.
    const char* problem() const { return problem_; }

  private:
    void open();
    bool follow_links();
    bool replace_link(const char* target);
    void open_temporary(unsigned permissions, bool exactly);

    int descriptor_ = -1;
    bool direct_ = false;
    const char* problem_ = "";
    char path_[Config::kPathCapacity];
    char temporary_[Config::kPathCapacity + 32];
};

}  // namespace hotlane
