// SPDX-License-Identifier: MIT
//
// errno as the program left it.
// Knows nothing of who changes it in between.
// Used wherever a call of ours could show in the program's errno.
#pragma once

#include <cerrno>

namespace hotlane {

/// Our calls must not show in the errno of the program: free() keeps it, malloc() sets only ENOMEM.
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
