// SPDX-License-Identifier: MIT
//
// Keeps the program's errno across hotlane's own calls.
#pragma once

#include <cerrno>

namespace hotlane {

/// Restores errno when it is destroyed. free() must keep errno, and malloc() may only set it to ENOMEM.
class ErrnoSaver {
  public:
    ErrnoSaver() : saved_{errno} {}
    ~ErrnoSaver() { errno = saved_; }
    ErrnoSaver(const ErrnoSaver&) = delete;
    ErrnoSaver& operator=(const ErrnoSaver&) = delete;

  private:
    int saved_;
};

}  // namespace hotlane
