// SPDX-License-Identifier: MIT
//
// errno as the program left it.
// Knows nothing of who changes it in between.
// Used wherever a call of ours could show in the program's errno.
#pragma once

#include <cerrno>

namespace hotlane {

/// Our calls must not show in the errno of the program: free() keeps it, malloc() sets only ENOMEM.
class ErrnoKeeper {
  public:
    ErrnoKeeper() : saved_{errno} {}
    ~ErrnoKeeper() { errno = saved_; }
    ErrnoKeeper(const ErrnoKeeper&) = delete;
    ErrnoKeeper& operator=(const ErrnoKeeper&) = delete;

  private:
    int saved_;
};

}  // namespace hotlane
