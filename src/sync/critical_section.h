// SPDX-License-Identifier: MIT
//
// Counts the critical sections of a thread: places where a lock is held, or where jemalloc or the unwinder
// runs, and no data structure can be trusted. A signal handler may fork at such a place, so the fork handlers
// test the count.
#pragma once

#include "base/base.h"

#include <atomic>

namespace hotlane {

/// How many critical sections the calling thread is in.
[[gnu::tls_model("initial-exec")]] inline constinit thread_local uint32_t critical_depth = 0;

// The fences order the count for a signal handler of the same thread: it must never run inside a section that
// is not counted.
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
