// SPDX-License-Identifier: MIT
//
// Guarded objects: beside an inaccessible page while they live, inaccessible themselves once they are freed.
// Knows nothing of the tiers that serve requests.
// Called by allocator for what the sampler chose, and for pointers into the guards' memory.
#pragma once

#include "diagnostics/misuse.h"
#include "platform/safe_read.h"

namespace hotlane::guard {

struct Settings {
    uint64_t one_in = 1000;  // requests of up to 64 KiB; 1: all for which there is a slot
    OnError on_error = OnError::abort;
};
/// Reserves the slots, and catches accesses to them (guards/faults.h). Once, while the process has one
/// thread, not from inside malloc. False: no memory, or the system refused; then nothing is guarded.
bool set_up(const Settings& chosen);

/// All addresses of guarded objects and their guard pages; empty without set_up().
HOTLANE_HIDDEN extern constinit inspect::Extent slots;
inline bool contains(const void* p) { return slots.contains(address_of(p)); }

/// A guarded object of `n` bytes; what is in it is whatever its slot held before. Null where there is none to
/// be had. Waits for no lock of the loader. O(depth of the stack), and three system calls with the free.
void* allocate(size_t n, size_t alignment);
/// The profiler follows this object, too.
void mark_tracked(const void* p);
bool is_tracked(const void* p);
/// What a live object can hold: the bytes that were asked for. 0 when none begins at `p`.
size_t usable_size(const void* p);
/// The object is gone. False, and reported, when none begins at `p`. Its neighbourhood is looked at, and
/// damage is reported. Both end the process, or return with HOTLANE_ON_ERROR=warn.
bool release(const void* p, Operation operation);
/// Whether this free comes once more in a forked child, and is right there (GuardPool::expect_frees_again()).
bool forgive(const void* p);
/// Says what is wrong with a pointer into the slots at which nothing lives.
void report_invalid_pointer(const void* p, Operation operation);

struct Statistics {
    uint64_t live;
    uint64_t quarantined;
    uint64_t reports;
};
Statistics statistics();

/// Around fork(): the child's objects are copies of the parent's.
void lock_for_fork();
/// In the child, before unlocking.
void forget_threads_in_child();
void unlock_after_fork();

}  // namespace hotlane::guard
