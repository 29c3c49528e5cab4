// SPDX-License-Identifier: MIT
//
// Whether a thread is at a place where the heap is not whole: under a lock of ours, or inside jemalloc.
// Knows nothing of what is done there.
// Counted by Lock, fallback and backtrace; asked before a fork, which a signal handler may call in between.
#pragma once

#include "base/base.h"

#include <atomic>

namespace hotlane {

/// How many critical sections the calling thread is in.
[[gnu::tls_model("initial-exec")]] inline constinit thread_local uint32_t critical_depth = 0;

// The fences are for a handler of the same thread: it must not find a section entered that is not counted.
[[gnu::always_inline]] inline void enter_critical_section() {
    ++critical_depth;
    std::atomic_signal_fence(std::memory_order_seq_cst);
}
[[gnu::always_inline]] inline void leave_critical_section() {
    std::atomic_signal_fence(std::memory_order_seq_cst);
    --critical_depth;
}

class CriticalSection {
  public:
    CriticalSection() { enter_critical_section(); }
    ~CriticalSection() { leave_critical_section(); }
    CriticalSection(const CriticalSection&) = delete;
    CriticalSection& operator=(const CriticalSection&) = delete;
};

}  // namespace hotlane
