// SPDX-License-Identifier: MIT
//
// The guard object that every call of the private jemalloc needs.
#pragma once

#include "sync/critical_section.h"

namespace hotlane::fallback {

/// Exists during each call of jemalloc. If the call made jemalloc register a thread of whose end it may not
/// be told, jemalloc is made to forget the thread after the call.
class ThreadForgetter {
  public:
    ThreadForgetter() = default;
    ~ThreadForgetter();
    ThreadForgetter(const ThreadForgetter&) = delete;
    ThreadForgetter& operator=(const ThreadForgetter&) = delete;

  private:
    CriticalSection critical_;
};

}  // namespace hotlane::fallback
