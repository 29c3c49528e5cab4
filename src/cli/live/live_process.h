// SPDX-License-Identifier: MIT
//
// The processes that publish their counters in a directory (HOTLANE_LIVE), and requests to them.
#pragma once

#include "live/layout.h"

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace hotlane::cli {

/// A directory cannot be used, or a process does not answer. Has one line for the user.
class LiveError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// A descriptor that is closed at the end of its life.
class Descriptor {
  public:
    explicit Descriptor(int fd = -1) : fd_{fd} {}
    ~Descriptor();
    Descriptor(Descriptor&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    int get() const { return fd_; }

  private:
    int fd_;
};

/// What a process has published. All of it is checked: indices are in range and strings end.
struct Published {
    std::string name;  // of the file
    int64_t process = 0;
    bool in_this_namespace = true;  // false: its id is that of another container
    std::unique_ptr<live::Counters> counters;

    const Snapshot& snapshot() const { return counters->snapshot; }
};

/// Why a file is not in the list.
struct Unreadable {
    std::string name;
    std::string why;
};

class LiveDirectory {
  public:
    /// `value` is that of HOTLANE_LIVE; empty: the variable, or else "auto". Throws LiveError if it is not a
    /// directory of this user (or of anybody, for root), or if others may write in it.
    explicit LiveDirectory(const std::string& value);

    const std::string& path() const { return path_; }
    /// Reads all processes, in the order of their ids. Removes the files of processes that have ended.
    std::vector<Published> read_all(std::vector<Unreadable>* unreadable = nullptr) const;
    /// Reads one process. Throws LiveError if there is none with this id, or if it cannot be read.
    Published read(int64_t process) const;

    /// Makes the request and waits for the answer. Returns its value (live/layout.h). Throws LiveError with the
    /// reason if the process refuses, fails, or does not answer in time.
    uint64_t ask(int64_t process, live::Request request, uint64_t argument = 0) const;
    /// Lets the process write a dump, and returns its text. The file is removed.
    std::string dump(int64_t process) const;

  private:
    Descriptor open(const std::string& name, int flags) const;
    std::string name_of(int64_t process) const;
    std::optional<Published> read_file(const std::string& name) const;

    std::string path_;
    Descriptor directory_;
    unsigned owner_ = 0;
};

}  // namespace hotlane::cli
