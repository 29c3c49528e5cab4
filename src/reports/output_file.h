// SPDX-License-Identifier: MIT
//
// A file that is written completely or not at all, and the pattern for its name.
#pragma once

#include "options/config.h"

namespace hotlane {

/// The values of a pattern's fields.
struct NameFields {
    int process_id = 0;        // %p
    std::string_view program;  // %e
    uint64_t number = 0;       // %n
};

/// Writes `pattern` to `out` with its fields replaced and %% replaced by %. Returns false when the result
/// does not fit.
[[nodiscard]] bool expand_path(const char* pattern, const NameFields& fields, char* out, size_t capacity);

/// Writes a temporary file and renames it when it is complete. An existing file stays unchanged until then,
/// and the new file gets its permissions.
///
/// Character devices, and descriptors of this process by name (/dev/stderr, /dev/stdout, /dev/fd/N,
/// /proc/self/fd/N), are written directly. A link is followed if it belongs to this user or to root. Another
/// user's link is refused, because it may lead to any file of this user. FIFOs, which may have no reader,
/// sockets, directories and disks are refused, too. Not thread-safe.
class OutputFile {
  public:
    explicit OutputFile(const char* path);
    ~OutputFile();
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;

    /// The descriptor to write to, or -1 when the file cannot be opened.
    int descriptor() const { return descriptor_; }
    /// Closes the file and gives it its name. `written` says whether all of it was written; if not, errno
    /// holds the reason and the temporary file is removed. Returns whether the file is complete.
    [[nodiscard]] bool finish(bool written);
    /// The reason of the last failure, for a message.
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
