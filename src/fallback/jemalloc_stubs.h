// SPDX-License-Identifier: MIT
//
// What a call of the private jemalloc needs around it.
// Must not know hotlane's tiers.
// Called by fallback.
#pragma once

#include "sync/critical_section.h"

namespace hotlane::fallback {

/// Exists during each call of jemalloc. Where jemalloc has come to know a thread whose end is not certain to
/// be told, it forgets the thread again when the call is over.
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
