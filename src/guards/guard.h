// SPDX-License-Identifier: MIT
//
// Guarded objects. A live one lies beside an inaccessible page; a freed one is inaccessible itself.
#pragma once

#include "diagnostics/misuse.h"
#include "platform/safe_read.h"

namespace hotlane::guard {

struct Settings {
    uint64_t one_in = 1000;  // one request in so many of up to 64 KiB; 1: each one for which there is a slot
    OnError on_error = OnError::abort;
};
/// Reserves the slots and installs the fault handler (guards/faults.h). Called once, while the process has
/// one thread, and not from inside malloc. Returns false if there is no memory or the system refuses; then
/// nothing is guarded.
bool set_up(const Settings& chosen);

/// The addresses of all guarded objects and their guard pages; empty without set_up().
HOTLANE_HIDDEN extern constinit inspect::Extent slots;
inline bool contains(const void* p) { return slots.contains(address_of(p)); }

/// Allocates a guarded object of `n` bytes with undefined contents. Returns null if none is available. Waits
/// for no lock of the loader. O(depth of the stack), and three system calls including those of the free.
void* allocate(size_t n, size_t alignment);
/// Marks an object that the profiler tracks, too.
void mark_tracked(const void* p);
bool is_tracked(const void* p);
/// The usable bytes of a live object: the bytes that were requested. 0 if no live object begins at `p`.
size_t usable_size(const void* p);
/// Frees the object. Checks the bytes around it, and reports if they were overwritten. If no live object
/// begins at `p`, it reports that and returns false. Either report ends the process, unless
/// HOTLANE_ON_ERROR=warn.
bool release(const void* p, Operation operation);
/// Whether this is a second free that is legitimate in a forked child (see GuardPool::expect_frees_again()).
bool forgive(const void* p);
/// Reports a pointer into the slots at which no live object begins.
void report_invalid_pointer(const void* p, Operation operation);

struct Statistics {
    uint64_t live;
    uint64_t quarantined;
    uint64_t reports;
};
Statistics statistics();

/// For fork(): the child's objects are copies of the parent's.
void lock_for_fork();
/// In the child, before unlock_after_fork().
void forget_threads_in_child();
void unlock_after_fork();

}  // namespace hotlane::guard
