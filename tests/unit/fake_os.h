// SPDX-License-Identifier: MIT
//
// The system that unit tests link instead of src/platform/os.cpp. It passes every call on to the kernel,
// unless a test makes it refuse calls or sets the time.
#pragma once

#include "base/base.h"

#include <vector>

namespace hotlane::fake_os {

enum class Call : uint8_t { reserve, commit, block, map, purge, count };

/// Makes everything real again: nothing is refused, and the clock is the system's.
void reset();

/// The number of calls of a kind since reset(). `any` refers to all kinds together.
uint64_t calls(Call call);
uint64_t all_calls();

/// Refuses the n-th call from now on (1: the next), of one kind or of any. 0: none.
void fail_nth(Call call, uint64_t n);
void fail_nth_of_all(uint64_t n);
/// Refuses every call of a kind.
void fail_always(Call call, bool fail);
/// As with vm.overcommit_memory=2: refuses to make more than this many bytes usable.
void limit_memory(size_t bytes);
/// As with RLIMIT_AS: refuses to reserve more than this many bytes of addresses.
void limit_addresses(size_t bytes);
/// As in an emulator that ignores address hints: no requested address is granted.
void ignore_places(bool ignore);
/// Bytes of addresses that are reserved now.
size_t reserved_bytes();

/// As with a kernel that has larger pages, until reset(): what begins inside a page is refused.
void set_page_size(size_t bytes);

/// Sets the processor on which every thread seems to run, until reset().
void run_on(unsigned processor);

/// Sets how many processors the process seems to have, until reset().
void set_cpu_count(unsigned count);

/// Stops the clocks. From then on only advance_clock() moves them.
void stop_clock();
void advance_clock(uint64_t ns);

/// Refuses the barrier, like a kernel that does not have it.
void fail_barriers(bool fail);
/// Sets a function that is called instead of the barrier's return, between the two steps of a reclaim from
/// other threads' caches.
void after_barrier(void (*hook)());

struct PurgedRun {
    uintptr_t address;
    size_t bytes;
};
/// What was returned to the kernel since reset(), in order, without refused calls.
std::vector<PurgedRun> purged_runs();

}  // namespace hotlane::fake_os
